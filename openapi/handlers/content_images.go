package handlers

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// ContentImages answers the operations on the pictures that are no product's.
type ContentImages struct {
	DB       *postgres.DB
	Pictures *catalog.Pictures
	ShopURL  ShopURL
}

// Operations are the handlers by operationId.
func (h *ContentImages) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listContentImages":  h.list,
		"uploadContentImage": h.upload,
		"getContentImage":    h.get,
		"updateContentImage": h.update,
		"deleteContentImage": h.delete,
	}
}

func contentImageID(req *openapi.Request) catalog.ImageID {
	return catalog.ImageID(req.Param("content_image_id"))
}

func (h *ContentImages) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := content.Images(ctx, h.DB, h.ShopURL(req.Caller.Store), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *ContentImages) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return h.answer(ctx, req, h.DB)
}

// answer shows a picture as it is now.
func (h *ContentImages) answer(ctx context.Context, req *openapi.Request, from postgres.Source) (*openapi.Response, error) {
	image, err := content.Image(ctx, from, h.ShopURL(req.Caller.Store), req.Param("content_image_id"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(image.Data), nil
}

// upload stores a picture's files first and then the row that shows them, as for a product.
func (h *ContentImages) upload(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	pictures := h.Pictures
	if req.DryRun() {
		pictures = pictures.Trying()
	}
	digest := sha256.New()
	picture, alt, err := receive(ctx, req, pictures, content.NewImageID(), digest)
	if err != nil {
		return nil, err
	}
	req.Body = digest.Sum([]byte(alt)) // tells repetitions of the request from others with its key
	inserted := false
	res, err := openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := content.AddImage(ctx, tx, picture, alt); err != nil {
			return nil, err
		}
		image, err := content.Image(ctx, tx, h.ShopURL(req.Caller.Store), string(picture.ID))
		if err != nil {
			return nil, err
		}
		inserted = true
		return openapi.Created("/v1/content-images/"+string(picture.ID), image.Data), nil
	})
	// A commit that broke off may have happened all the same: then the row has its files.
	if inserted && (err == nil || catalog.HasImage(ctx, h.DB, picture.ID)) {
		return res, err
	}
	return res, errors.Join(err, pictures.Remove(ctx, picture))
}

func (h *ContentImages) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ContentImageUpdate](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := content.UpdateImage(ctx, tx, contentImageID(req), emptied(body.Alt)); err != nil {
			return nil, err
		}
		return h.answer(ctx, req, tx)
	})
}

func (h *ContentImages) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := content.DeleteImage(ctx, tx, contentImageID(req)); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
