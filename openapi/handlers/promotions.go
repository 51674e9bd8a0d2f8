package handlers

import (
	"context"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Promotions answers the operations on promotions and their codes.
type Promotions struct {
	DB *postgres.DB
}

// Operations are the handlers by operationId.
func (h *Promotions) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listPromotions":       h.list,
		"createPromotion":      h.create,
		"getPromotion":         h.get,
		"updatePromotion":      h.update,
		"deletePromotion":      h.delete,
		"listPromotionCodes":   h.codes,
		"createPromotionCodes": h.addCodes,
		"deletePromotionCode":  h.removeCode,
	}
}

func promotionID(req *openapi.Request) promotions.ID {
	return promotions.ID(req.Param("promotion_id"))
}

func (h *Promotions) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := promotions.List(ctx, h.DB, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Promotions) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.answer(ctx, h.DB, promotionID(req))
}

// answer shows a promotion as it is now.
func (h *Promotions) answer(ctx context.Context, from postgres.Source, id promotions.ID) (*openapi.Response, error) {
	promotion, err := promotions.Get(ctx, from, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(promotion.Data).Tagged(promotion.Version), nil
}

func (h *Promotions) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PromotionCreate](req)
	if err != nil {
		return nil, err
	}
	in := promotions.Input{
		Automatic: given(body.Automatic), Active: body.Active == nil || *body.Active, StartsAt: body.StartsAt, EndsAt: body.EndsAt,
		UsageLimit: body.UsageLimit, CustomerLimit: body.CustomerLimit, Codes: body.Codes,
		Rule: promotions.Rule{
			Title: body.Title, Kind: promotions.Kind(body.Kind), Class: promotions.Order, RateBPS: hundredths(given(body.Percentage)), Each: given(body.Each),
			Items: selection(body.Items), Buys: selection(body.Buys), BuyQuantity: given(body.BuyQuantity), GetQuantity: given(body.GetQuantity),
			MaxUses: given(body.MaxUsesPerOrder), MinimumQuantity: given(body.MinimumQuantity), FirstOrder: given(body.FirstOrder),
			GroupIDs: body.CustomerGroupIDs, Combines: converted(body.CombinesWith, func(c gen.PromotionCreateCombinesWith) promotions.Class { return promotions.Class(c) }),
		},
	}
	if body.Class != nil {
		in.Rule.Class = promotions.Class(*body.Class)
	}
	if in.Rule.Amounts, in.Rule.MinimumAmounts, err = ruleAmounts(body.Amounts, body.MinimumAmounts); err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := promotions.Create(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		promotion, err := promotions.Get(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/promotions/"+string(id), promotion.Data).Tagged(promotion.Version), nil
	})
}

func selection(s *gen.PromotionSelection) promotions.Selection {
	if s == nil {
		return promotions.Selection{}
	}
	return promotions.Selection{ProductIDs: s.ProductIDs, VariantIDs: s.VariantIDs, CollectionIDs: s.CollectionIDs, Tags: s.Tags}
}

func ruleAmounts(off, least []gen.Money) (amounts, minimums map[string]int64, err error) {
	read := func(m gen.Money) money.Money { return money.New(m.Amount, m.Currency) }
	if amounts, err = promotions.ByCurrency("/amounts", converted(off, read)); err != nil {
		return nil, nil, err
	}
	minimums, err = promotions.ByCurrency("/minimum_amounts", converted(least, read))
	return amounts, minimums, err
}

func (h *Promotions) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PromotionUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	amounts, minimums, err := ruleAmounts(body.Amounts, body.MinimumAmounts)
	if err != nil {
		return nil, err
	}
	patch := promotions.Patch{
		Active: body.Active, StartsAt: body.StartsAt, EndsAt: patched[time.Time](body.EndsAt),
		UsageLimit: patched[int64](body.UsageLimit), CustomerLimit: patched[int64](body.CustomerLimit),
		Rule: func(r *promotions.Rule) {
			merge.Set(&r.Title, body.Title)
			if body.Percentage != nil {
				r.RateBPS = hundredths(*body.Percentage)
			}
			merge.Set(&r.Each, body.Each)
			merge.Set(&r.BuyQuantity, body.BuyQuantity)
			merge.Set(&r.GetQuantity, body.GetQuantity)
			merge.Set(&r.MaxUses, body.MaxUsesPerOrder)
			merge.Set(&r.MinimumQuantity, body.MinimumQuantity)
			merge.Set(&r.FirstOrder, body.FirstOrder)
			if body.Amounts != nil {
				r.Amounts = amounts
			}
			if body.MinimumAmounts != nil {
				r.MinimumAmounts = minimums
			}
			if body.Items != nil {
				r.Items = selection(body.Items)
			}
			if body.Buys != nil {
				r.Buys = selection(body.Buys)
			}
			if body.CustomerGroupIDs != nil {
				r.GroupIDs = body.CustomerGroupIDs
			}
			if body.CombinesWith != nil {
				r.Combines = converted(body.CombinesWith, func(c gen.PromotionUpdateCombinesWith) promotions.Class { return promotions.Class(c) })
			}
		},
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := promotions.Update(ctx, tx, promotionID(req), version, patch); err != nil {
			return nil, err
		}
		return h.answer(ctx, tx, promotionID(req))
	})
}

// patched is what a merge patch says of a value that there may be none of: nil leaves it, a
// pointer to nil takes it away.
func patched[T any](n nullable.Nullable[T]) **T {
	if !n.IsSpecified() {
		return nil
	}
	var value *T
	if !n.IsNull() {
		given := n.MustGet()
		value = &given
	}
	return &value
}

func (h *Promotions) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), promotions.Delete(ctx, tx, promotionID(req), version)
	})
}

func (h *Promotions) codes(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := promotions.Codes(ctx, h.DB, promotionID(req), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Promotions) addCodes(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PromotionCodesCreate](req)
	if err != nil {
		return nil, err
	}
	batch := promotions.Batch{Codes: body.Codes, Count: int(given(body.Count)), Prefix: given(body.Prefix), UsageLimit: body.UsageLimit}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		codes, err := promotions.AddCodes(ctx, tx, promotionID(req), batch)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/promotions/"+string(promotionID(req))+"/codes", gen.PromotionCodes{Codes: codes}), nil
	})
}

func (h *Promotions) removeCode(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), promotions.RemoveCode(ctx, tx, promotionID(req), req.Param("promotion_code"))
	})
}
