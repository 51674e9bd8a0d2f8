package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/wishlists"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Wishlists answers shoppers about what they note to buy some day.
type Wishlists struct {
	DB        *postgres.DB
	Customers *customers.Service
}

// Operations are the handlers by operationId.
func (h *Wishlists) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listMyWishlists":      h.list,
		"createMyWishlist":     h.create,
		"getMyWishlist":        h.get,
		"updateMyWishlist":     h.update,
		"deleteMyWishlist":     h.delete,
		"addToMyWishlist":      h.add,
		"removeFromMyWishlist": h.remove,
		"getSharedWishlist":    h.shared,
	}
}

func (h *Wishlists) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return mine(ctx, req, h.Customers, func(ctx context.Context, customerID, after string, limit int) (postgres.Page, error) {
		return wishlists.Mine(ctx, h.DB, customerID, after, limit)
	})
}

func (h *Wishlists) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.WishlistCreate](req)
	if err != nil {
		return nil, err
	}
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := wishlists.Create(ctx, tx, c.ID, body.Name)
		if err != nil {
			return nil, err
		}
		made, err := wishlists.Get(ctx, tx, id, c.ID)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/shop/me/wishlists/"+id, made.Data).Tagged(made.Version), nil
	})
}

func (h *Wishlists) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	list, err := wishlists.Get(ctx, h.DB, req.Param("wishlist_id"), c.ID)
	if err != nil {
		return nil, err
	}
	return openapi.OK(list.Data).Tagged(list.Version), nil
}

// changed makes a change of a list of who is signed in, and answers the list.
func (h *Wishlists) changed(ctx context.Context, req *openapi.Request, change func(ctx context.Context, tx *postgres.Tx, customerID string) error) (*openapi.Response, error) {
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := change(ctx, tx, c.ID); err != nil {
			return nil, err
		}
		list, err := wishlists.Get(ctx, tx, req.Param("wishlist_id"), c.ID)
		if err != nil {
			return nil, err
		}
		return openapi.OK(list.Data).Tagged(list.Version), nil
	})
}

func (h *Wishlists) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.WishlistUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return h.changed(ctx, req, func(ctx context.Context, tx *postgres.Tx, customerID string) error {
		return wishlists.Update(ctx, tx, req.Param("wishlist_id"), customerID, wishlists.Change{Name: body.Name, Shared: body.Shared}, version)
	})
}

func (h *Wishlists) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), wishlists.Delete(ctx, tx, req.Param("wishlist_id"), c.ID, version)
	})
}

func (h *Wishlists) add(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.WishlistItemCreate](req)
	if err != nil {
		return nil, err
	}
	return h.changed(ctx, req, func(ctx context.Context, tx *postgres.Tx, customerID string) error {
		return wishlists.Add(ctx, tx, req.Param("wishlist_id"), customerID, body.ProductID, given(body.VariantID))
	})
}

func (h *Wishlists) remove(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	ctx, c, err := signedIn(ctx, req, h.Customers)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), wishlists.Remove(ctx, tx, req.Param("wishlist_id"), c.ID, req.Param("item_id"))
	})
}

func (h *Wishlists) shared(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	list, err := wishlists.Shared(ctx, h.DB, req.Param("share_token"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(list.Data), nil
}
