package handlers

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Images answers the operations on a product's pictures.
type Images struct {
	DB       *postgres.DB
	Catalog  *catalog.Service
	Pictures *catalog.Pictures
	ShopURL  ShopURL
}

// Operations are the handlers by operationId.
func (h *Images) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"uploadProductImage": h.upload,
		"updateProductImage": h.update,
		"deleteProductImage": h.delete,
	}
}

// upload stores a picture's files first and then, in one transaction, the row that shows
// them. When that fails the files go again.
func (h *Images) upload(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	if req.DryRun() {
		trial := *h
		trial.Pictures = h.Pictures.Trying()
		h = &trial
	}
	id := catalog.ProductID(req.Param("product_id"))
	if err := catalog.HasProduct(ctx, h.DB, id); err != nil {
		return nil, err // before reading what would be for nothing
	}
	digest := sha256.New()
	picture, alt, err := receive(ctx, req, h.Pictures, "", digest)
	if err != nil {
		return nil, err
	}
	req.Body = digest.Sum([]byte(alt)) // tells repetitions of the request from others with its key
	inserted := false
	res, err := openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.AddImage(ctx, tx, id, picture, alt); err != nil {
			return nil, err
		}
		image, err := catalog.Image(ctx, tx, h.ShopURL(req.Caller.Store), picture.ID)
		if err != nil {
			return nil, err
		}
		inserted = true
		return &openapi.Response{Status: http.StatusCreated, Body: image.Data}, nil
	})
	if err == nil && inserted {
		return res, nil
	}
	// A commit that broke off may have happened all the same: then the row has its files.
	if inserted && catalog.HasImage(ctx, h.DB, picture.ID) {
		return res, err
	}
	return res, errors.Join(err, h.Pictures.Remove(ctx, picture))
}

// receive reads the form part by part, so that no file is kept in memory or on disk before
// it is known to be a picture, which is stored under an ID, or a new one when that is empty. The
// digest is given the file as it was sent.
func receive(ctx context.Context, req *openapi.Request, pictures *catalog.Pictures, id catalog.ImageID, digest io.Writer) (picture catalog.Picture, alt string, err error) {
	form, err := req.HTTP.MultipartReader()
	if err != nil {
		return picture, "", malformed(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, pictures.Remove(ctx, picture))
		}
	}()
	seen := map[string]bool{}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return picture, "", malformed(err)
		}
		name := part.FormName()
		if seen[name] {
			return picture, "", badForm("/"+name, "repeated", "It is given twice.")
		}
		seen[name] = true
		switch name {
		case "file":
			body := &sent{Reader: io.TeeReader(part, digest)}
			if picture, err = pictures.Store(ctx, id, body); err != nil {
				if body.broke != nil {
					err = malformed(body.broke)
				}
				return picture, "", err
			}
		case "alt":
			if alt, err = field(part, 512); err != nil {
				return picture, "", err
			}
		default:
			return picture, "", badForm("/"+name, "unknown_field", "The form has no field of this name.")
		}
	}
	if !seen["file"] {
		return picture, "", badForm("/file", "required", "It is required and missing.")
	}
	return picture, alt, nil
}

// sent is a reader that remembers what it broke off with: a fault of whoever sends, unlike
// that of storing what was read.
type sent struct {
	io.Reader
	broke error
}

func (s *sent) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.broke = err
	}
	return n, err
}

// field reads a form's field of text.
func field(part *multipart.Part, most int) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(part, int64(most*utf8.UTFMax)+1))
	if err != nil {
		return "", malformed(err)
	}
	switch {
	case !utf8.Valid(raw):
		return "", badForm("/"+part.FormName(), "encoding", "It is not UTF-8.")
	case utf8.RuneCount(raw) > most:
		return "", badForm("/"+part.FormName(), "maxLength", "It is too long.")
	}
	return string(raw), nil
}

func badForm(pointer, code, detail string) error {
	return problem.New(problem.Invalid, "invalid_request", "The form cannot be taken as it is.").At(pointer, code, "%s", detail)
}

// malformed is what is wrong with a form that cannot be read, unless it is too large.
func malformed(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return problem.New(problem.Invalid, "invalid_body", "The form cannot be read.").Because(err)
}

func (h *Images) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ImageUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	product, id := catalog.ProductID(req.Param("product_id")), catalog.ImageID(req.Param("image_id"))
	patch := catalog.ImagePatch{Alt: emptied(body.Alt), Position: body.Position}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.UpdateImage(ctx, tx, product, id, version, patch); err != nil {
			return nil, err
		}
		image, err := catalog.Image(ctx, tx, h.ShopURL(req.Caller.Store), id)
		if err != nil {
			return nil, err
		}
		return openapi.OK(image.Data).At(image.Version), nil
	})
}

func (h *Images) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	product, id := catalog.ProductID(req.Param("product_id")), catalog.ImageID(req.Param("image_id"))
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := h.Catalog.DeleteImage(ctx, tx, product, id, version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
