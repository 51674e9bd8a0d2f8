package handlers

import (
	"context"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/reviews"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Reviews answers the staff about what customers think of products, and shoppers about what
// they and others do.
type Reviews struct {
	DB        *postgres.DB
	Customers *customers.Service
	Editions  *catalog.Editions
}

// Operations are the handlers by operationId.
func (h *Reviews) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listReviews":    h.list,
		"getReview":      h.get,
		"moderateReview": h.moderate,
		"deleteReview":   h.delete,

		"listShopReviews": h.shown,
		"writeReview":     h.write,
		"listMyReviews":   h.mine,
		"changeMyReview":  h.change,
		"deleteMyReview":  h.deleteMine,
	}
}

func (h *Reviews) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	rating := 0
	if text := req.Query.Get("rating"); text != "" {
		rating = int(text[0] - '0') // the contract takes 1 to 5
	}
	page, err := reviews.List(ctx, h.DB, reviews.Filter{
		State: reviews.State(req.Query.Get("state")), ProductID: req.Query.Get("product_id"), CustomerID: req.Query.Get("customer_id"),
		Rating: rating, After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Reviews) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	review, err := reviews.Get(ctx, h.DB, req.Param("review_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(review.Data).Tagged(review.Version), nil
}

func (h *Reviews) moderate(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ReviewUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	m := reviews.Moderation{State: as[reviews.State](body.State), Reply: emptied(body.Reply)}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := reviews.Moderate(ctx, tx, req.Param("review_id"), m, version); err != nil {
			return nil, err
		}
		review, err := reviews.Get(ctx, tx, req.Param("review_id"))
		if err != nil {
			return nil, err
		}
		return openapi.OK(review.Data).Tagged(review.Version), nil
	})
}

func (h *Reviews) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.remove(ctx, req, "")
}

func (h *Reviews) remove(ctx context.Context, req *openapi.Request, customerID string) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), reviews.Delete(ctx, tx, req.Param("review_id"), customerID, version)
	})
}

func (h *Reviews) shown(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := reviews.Shown(ctx, h.DB, req.Param("handle_or_id"), after, req.Limit(shopPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Reviews) write(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ReviewCreate](req)
	if err != nil {
		return nil, err
	}
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	set, err := h.Editions.Locales(ctx, req.Caller.Store)
	if err != nil {
		return nil, err
	}
	locale := set.Match(strings.Join(req.Header.Values("Accept-Language"), ","))
	in := reviews.Input{Rating: &body.Rating, Title: body.Title, Body: body.Body, Author: body.Author}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := reviews.Write(ctx, tx, c.ID, req.Param("handle_or_id"), locale, in)
		if err != nil {
			return nil, err
		}
		review, err := reviews.Of(ctx, tx, id, c.ID)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/shop/me/reviews/"+id, review.Data).Tagged(review.Version), nil
	})
}

func (h *Reviews) mine(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return mine(ctx, req, h.Customers, func(ctx context.Context, customerID, after string, limit int) (postgres.Page, error) {
		return reviews.Mine(ctx, h.DB, customerID, after, limit)
	})
}

func (h *Reviews) change(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.MyReviewUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	in := reviews.Input{Rating: body.Rating, Title: emptied(body.Title), Body: emptied(body.Body), Author: emptied(body.Author)}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := reviews.Change(ctx, tx, req.Param("review_id"), c.ID, in, version); err != nil {
			return nil, err
		}
		review, err := reviews.Of(ctx, tx, req.Param("review_id"), c.ID)
		if err != nil {
			return nil, err
		}
		return openapi.OK(review.Data).Tagged(review.Version), nil
	})
}

func (h *Reviews) deleteMine(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return h.remove(ctx, req, c.ID)
}
