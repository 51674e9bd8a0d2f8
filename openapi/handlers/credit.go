package handlers

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Credit answers the operations on gift cards and store credit.
type Credit struct {
	DB        *postgres.DB
	Customers *customers.Service
}

// Operations are the handlers by operationId.
func (h *Credit) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listGiftCards":       h.cards,
		"createGiftCard":      h.create,
		"createGiftCards":     h.createMany,
		"getGiftCard":         h.card,
		"updateGiftCard":      h.update,
		"adjustGiftCard":      h.adjustCard,
		"listGiftCardEntries": h.cardEntries,

		"listStoreCredit":        h.balances,
		"adjustStoreCredit":      h.adjustStoreCredit,
		"listStoreCreditEntries": h.entries,

		"listMyStoreCredit":        h.myBalances,
		"listMyStoreCreditEntries": h.myEntries,
	}
}

func cardID(req *openapi.Request) credit.ID { return credit.ID(req.Param("gift_card_id")) }

func (h *Credit) cards(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return paged(req, adminPage, func(after string, limit int) (postgres.Page, error) {
		q := req.Query
		return credit.Cards(ctx, h.DB, credit.Filter{
			CustomerID: q.Get("customer_id"), LastCharacters: q.Get("last_characters"), State: q.Get("state"), After: after, Limit: limit,
		})
	})
}

// issued is a new gift card in the contract's words; its code is nil where it is told no more.
type issued struct {
	Card json.RawMessage `json:"gift_card"`
	Code *string         `json:"code"`
}

func (h *Credit) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.GiftCardCreate](req)
	if err != nil {
		return nil, err
	}
	in := credit.Issue{
		Amount: money.New(body.Amount.Amount, body.Amount.Currency), ExpiresAt: body.ExpiresAt, CustomerID: body.CustomerID, Note: given(body.Note),
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		cards, err := credit.IssueCards(ctx, tx, in, 1)
		if err != nil {
			return nil, err
		}
		card, err := credit.Card(ctx, tx, cards[0].ID)
		if err != nil {
			return nil, err
		}
		res := openapi.Created("/v1/gift-cards/"+string(cards[0].ID), issued{card.Data, &cards[0].Code}).Tagged(card.Version)
		res.Redacted = issued{card.Data, nil}
		return res, nil
	})
}

func (h *Credit) createMany(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.GiftCardBatchCreate](req)
	if err != nil {
		return nil, err
	}
	in := credit.Issue{Amount: money.New(body.Amount.Amount, body.Amount.Currency), ExpiresAt: body.ExpiresAt, Note: given(body.Note)}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		cards, err := credit.IssueCards(ctx, tx, in, body.Count)
		if err != nil {
			return nil, err
		}
		res := openapi.Created("/v1/gift-cards", gen.GiftCardBatch{GiftCards: converted(cards, func(c credit.Issued) gen.GiftCardIssued {
			return gen.GiftCardIssued{ID: string(c.ID), Code: &c.Code}
		})})
		res.Redacted = gen.GiftCardBatch{GiftCards: converted(cards, func(c credit.Issued) gen.GiftCardIssued { return gen.GiftCardIssued{ID: string(c.ID)} })}
		return res, nil
	})
}

func (h *Credit) card(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.answer(ctx, h.DB, cardID(req))
}

// answer shows a gift card as it is now.
func (h *Credit) answer(ctx context.Context, from postgres.Source, id credit.ID) (*openapi.Response, error) {
	card, err := credit.Card(ctx, from, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(card.Data).Tagged(card.Version), nil
}

func (h *Credit) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.GiftCardUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := credit.Patch{
		Active: body.Active, ExpiresAt: patched[time.Time](body.ExpiresAt), CustomerID: patched[string](body.CustomerID), Note: emptied(body.Note),
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := credit.UpdateCard(ctx, tx, cardID(req), version, patch); err != nil {
			return nil, err
		}
		return h.answer(ctx, tx, cardID(req))
	})
}

func (h *Credit) adjustCard(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.adjust(ctx, req, "/v1/gift-cards/"+req.Param("gift_card_id"), func(ctx context.Context, tx *postgres.Tx, adj credit.Adjustment) (string, error) {
		return credit.AdjustCard(ctx, tx, cardID(req), adj)
	})
}

func (h *Credit) adjustStoreCredit(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.adjust(ctx, req, "/v1/customers/"+req.Param("customer_id")+"/store-credit", func(ctx context.Context, tx *postgres.Tx, adj credit.Adjustment) (string, error) {
		return credit.AdjustStoreCredit(ctx, tx, req.Param("customer_id"), adj)
	})
}

// adjust changes a balance by hand and answers the entry.
func (h *Credit) adjust(ctx context.Context, req *openapi.Request, account string, change func(context.Context, *postgres.Tx, credit.Adjustment) (string, error)) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.CreditAdjustment](req)
	if err != nil {
		return nil, err
	}
	adj := credit.Adjustment{Amount: money.New(body.Amount.Amount, body.Amount.Currency), Reason: body.Reason}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := change(ctx, tx, adj)
		if err != nil {
			return nil, err
		}
		entry, err := credit.Entry(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created(account+"/entries", json.RawMessage(entry)), nil
	})
}

func (h *Credit) cardEntries(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return paged(req, adminPage, func(after string, limit int) (postgres.Page, error) {
		return credit.CardEntries(ctx, h.DB, cardID(req), after, limit)
	})
}

func (h *Credit) balances(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return paged(req, adminPage, func(after string, limit int) (postgres.Page, error) {
		return credit.Balances(ctx, h.DB, req.Param("customer_id"), after, limit)
	})
}

func (h *Credit) entries(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return paged(req, adminPage, func(after string, limit int) (postgres.Page, error) {
		return credit.Entries(ctx, h.DB, req.Param("customer_id"), req.Query.Get("currency"), after, limit)
	})
}

func (h *Credit) myBalances(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return paged(req, shopPage, func(after string, limit int) (postgres.Page, error) {
		return credit.Balances(ctx, h.DB, c.ID, after, limit)
	})
}

func (h *Credit) myEntries(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return paged(req, shopPage, func(after string, limit int) (postgres.Page, error) {
		return credit.MyEntries(ctx, h.DB, c.ID, req.Query.Get("currency"), after, limit)
	})
}
