package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// maxAlt bounds what is said of a picture.
const maxAlt = 512

// States of an image's row: a pending one is still to be fetched from its address and
// shows nowhere.
const (
	imagePending = "pending"
	imageReady   = "ready"
	imageFailed  = "failed"
)

// image is a row of images, and what the audit keeps of one.
type image struct {
	bun.BaseModel `bun:"table:images,alias:i" json:"-"`

	ID          ImageID   `bun:"id,pk" json:"id"`
	ProductID   ProductID `bun:"product_id" json:"product_id"`
	Position    int       `bun:"position" json:"position"`
	Alt         string    `bun:"alt" json:"alt"`
	State       string    `bun:"state" json:"state"`
	SourceURL   string    `bun:"source_url" json:"source_url,omitempty"`
	ContentType string    `bun:"content_type" json:"media_type"`
	Width       int       `bun:"width" json:"width"`
	Height      int       `bun:"height" json:"height"`
	Bytes       int       `bun:"bytes" json:"bytes"`
	Sizes       []Size    `bun:"sizes,type:jsonb" json:"sizes"`
	CreatedAt   time.Time `bun:"created_at" json:"-"`
}

// keep notes on a row where a picture's files are.
func (i *image) keep(p Picture) {
	largest := p.Sizes[len(p.Sizes)-1]
	i.State, i.Sizes = imageReady, p.Sizes
	i.ContentType, i.Width, i.Height, i.Bytes = p.ContentType, largest.Width, largest.Height, p.Bytes
}

// ImagePatch changes what is said of a picture, or its place; what is nil stays.
type ImagePatch struct {
	Alt      *string
	Position *int
}

// imagesOf are all rows of a product's pictures, in their order.
func imagesOf(ctx context.Context, tx *postgres.Tx, id ProductID) ([]*image, error) {
	var images []*image
	if err := tx.Bun.NewSelect().Model(&images).Where("i.product_id = ?", id).Order("position", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the images of %s: %w", id, err)
	}
	return images, nil
}

// AddImage gives a product a picture, in the last place. The picture's files are stored
// already, under the ID that the picture carries; whoever stored them removes them when
// the transaction fails.
func (s *Service) AddImage(ctx context.Context, tx *postgres.Tx, productID ProductID, picture Picture, alt string) error {
	row := &image{ID: picture.ID, Alt: alt}
	row.keep(picture)
	p, err := lockProduct(ctx, tx, productID)
	if err != nil {
		return err
	}
	c := check("image_invalid", "The image cannot be kept as it is.")
	c.line(&row.Alt, "/alt", 0, maxAlt)
	if err := c.wrong.OrNil(); err != nil {
		return err
	}
	others, err := imagesOf(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	if len(others) >= maxImages {
		return tooManyImages()
	}
	row.ProductID, row.Position, row.CreatedAt = p.ID, len(others), clock.Now()
	if _, err := tx.Bun.NewInsert().Model(row).Exec(ctx); err != nil {
		return fmt.Errorf("insert image: %w", err)
	}
	if err := s.touched(ctx, tx, p); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "image.create", ObjectID: string(row.ID), After: row})
	return nil
}

// FinishImage gives a pending image the picture that was fetched for it. It says whether
// the image was still waiting: if not, the picture's files belong to nothing.
func (s *Service) FinishImage(ctx context.Context, tx *postgres.Tx, productID ProductID, p Picture) (bool, error) {
	return s.settle(ctx, tx, productID, p.ID, func(row *image) { row.keep(p) })
}

// FailImage notes that a pending image cannot be fetched. It shows nowhere.
func (s *Service) FailImage(ctx context.Context, tx *postgres.Tx, productID ProductID, id ImageID) error {
	_, err := s.settle(ctx, tx, productID, id, func(row *image) { row.State = imageFailed })
	return err
}

func (s *Service) settle(ctx context.Context, tx *postgres.Tx, productID ProductID, id ImageID, change func(*image)) (bool, error) {
	p, images, at, err := lockImage(ctx, tx, productID, id)
	if problem.Is(err, "not_found") || err == nil && images[at].State != imagePending {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	row := images[at]
	before := *row
	change(row)
	if err := s.saveImage(ctx, tx, p, row); err != nil {
		return false, err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "image.fetch", ObjectID: string(id), Before: &before, After: row})
	return true, nil
}

func (s *Service) saveImage(ctx context.Context, tx *postgres.Tx, p *product, row *image) error {
	if _, err := tx.Bun.NewUpdate().Model(row).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("update image %s: %w", row.ID, err)
	}
	return s.touched(ctx, tx, p)
}

// lockImage locks a product and reads all of its images; the image is the one at the index.
func lockImage(ctx context.Context, tx *postgres.Tx, productID ProductID, id ImageID) (*product, []*image, int, error) {
	p, err := lockProduct(ctx, tx, productID)
	if err != nil {
		return nil, nil, 0, err
	}
	images, err := imagesOf(ctx, tx, productID)
	if err != nil {
		return nil, nil, 0, err
	}
	at := slices.IndexFunc(images, func(i *image) bool { return i.ID == id })
	if at < 0 {
		return nil, nil, 0, problem.Missing("image")
	}
	return p, images, at, nil
}

// UpdateImage changes what is said of a picture, or its place.
func (s *Service) UpdateImage(ctx context.Context, tx *postgres.Tx, productID ProductID, id ImageID, meant int, patch ImagePatch) error {
	p, images, at, err := lockImage(ctx, tx, productID, id)
	if err == nil {
		err = problem.Outdated(p.Version, meant)
	}
	if err != nil {
		return err
	}
	row := images[at]
	before := *row
	merge.Set(&row.Alt, patch.Alt)
	c := check("image_invalid", "The image cannot be kept as it is.")
	c.line(&row.Alt, "/alt", 0, maxAlt)
	if err := c.wrong.OrNil(); err != nil {
		return err
	}
	if patch.Position != nil {
		images = slices.Insert(slices.Delete(images, at, at+1), min(*patch.Position, len(images)-1), row)
		if err := placeImages(ctx, tx, images); err != nil {
			return err
		}
	}
	if row.Alt == before.Alt && row.Position == before.Position {
		return nil
	}
	if err := s.saveImage(ctx, tx, p, row); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "image.update", ObjectID: string(id), Before: &before, After: row})
	return nil
}

// placeImages numbers images in the order given.
func placeImages(ctx context.Context, tx *postgres.Tx, images []*image) error {
	order := make([]string, len(images))
	for i, row := range images {
		order[i], row.Position = string(row.ID), i
	}
	_, err := tx.Exec(ctx, `update images i set position = w.n - 1 from unnest($1::text[]) with ordinality w(id, n)
		where i.id = w.id and i.position <> w.n - 1`, order)
	if err != nil {
		return fmt.Errorf("place images: %w", err)
	}
	return nil
}

// DeleteImage takes a picture away. Its files go once it cannot come back any more; variants
// that it showed are left without one.
func (s *Service) DeleteImage(ctx context.Context, tx *postgres.Tx, productID ProductID, id ImageID, meant int) error {
	p, images, at, err := lockImage(ctx, tx, productID, id)
	if err == nil {
		err = problem.Outdated(p.Version, meant)
	}
	if err != nil {
		return err
	}
	row := images[at]
	kept, err := row.kept(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from images where id = $1`, id); err != nil {
		return fmt.Errorf("delete image %s: %w", id, err)
	}
	if _, err := tx.Exec(ctx, `update variants set image_id = null where product_id = $1 and image_id = $2`, productID, id); err != nil {
		return fmt.Errorf("take image %s from its variants: %w", id, err)
	}
	if err := placeImages(ctx, tx, slices.Delete(images, at, at+1)); err != nil {
		return err
	}
	if err := s.touched(ctx, tx, p); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "image.delete", ObjectID: string(id), Before: row, Kept: kept})
	return nil
}

// imageRows are the rows of a picture by which it can be brought back.
var imageRows = postgres.Part{Table: "images", Of: "x.id = $1"}

// kept reads what brings a picture back: its row, and which variants it shows. One that was
// never fetched is not worth it.
func (i *image) kept(ctx context.Context, tx *postgres.Tx) (kept json.RawMessage, err error) {
	if i.State != imageReady {
		return nil, nil
	}
	if kept, err = tx.Keep(ctx, string(i.ID), imageRows); err != nil {
		return nil, err
	}
	err = tx.QueryRow(ctx, `select $2::jsonb || jsonb_build_object('shows', (select coalesce(jsonb_agg(id), '[]') from variants where product_id = $3 and image_id = $1))`,
		i.ID, string(kept), i.ProductID).Scan(&kept)
	if err != nil {
		return nil, fmt.Errorf("read what image %s shows: %w", i.ID, err)
	}
	return kept, nil
}

// RestoreImage brings back a picture that was taken away, in its place, and has it show the
// variants that it showed and that have no other by now.
func (s *Service) RestoreImage(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	var was struct {
		Images []struct {
			ProductID ProductID `json:"product_id"`
			Position  int       `json:"position"`
		} `json:"images"`
	}
	if err := json.Unmarshal(kept, &was); err != nil || len(was.Images) != 1 {
		return fmt.Errorf("read what restores %s: %w", id, err)
	}
	productID, position := was.Images[0].ProductID, was.Images[0].Position
	if _, err := lockProduct(ctx, tx, productID); err != nil {
		return err
	}
	if err := tx.Restore(ctx, kept, imageRows); err != nil {
		return err
	}
	p, images, at, err := lockImage(ctx, tx, productID, ImageID(id))
	if err != nil {
		return err
	}
	if len(images) > maxImages {
		return tooManyImages()
	}
	row := images[at]
	images = slices.Insert(slices.Delete(images, at, at+1), min(position, len(images)-1), row)
	if err := placeImages(ctx, tx, images); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update variants set image_id = $2 where product_id = $1 and image_id is null and id in (select jsonb_array_elements_text($3::jsonb->'shows'))`,
		productID, id, string(kept))
	if err != nil {
		return fmt.Errorf("have image %s show its variants: %w", id, err)
	}
	if err := s.touched(ctx, tx, p); err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "image.restore", ObjectID: id, After: row})
	return nil
}

func tooManyImages() error {
	return problem.New(problem.Unprocessable, "image_limit", "A product has at most %d images.", maxImages)
}
