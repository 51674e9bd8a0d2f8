package content

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// The pictures of a shop that are no product's: its logo, and those of its sections. They are
// rows of images, of no product.

// ImagePrefix is that of their IDs.
const ImagePrefix = "cimg"

const (
	mostImages = 500
	maxAlt     = 512
)

// image is a row of images, and what the audit keeps of one.
type image struct {
	bun.BaseModel `bun:"table:images,alias:i" json:"-"`

	ID          catalog.ImageID `bun:"id,pk" json:"id"`
	Position    int             `bun:"position" json:"-"`
	Alt         string          `bun:"alt" json:"alt"`
	ContentType string          `bun:"content_type" json:"media_type"`
	Width       int             `bun:"width" json:"width"`
	Height      int             `bun:"height" json:"height"`
	Bytes       int             `bun:"bytes" json:"bytes"`
	Sizes       []catalog.Size  `bun:"sizes,type:jsonb" json:"sizes"`
	CreatedAt   time.Time       `bun:"created_at" json:"-"`
}

// ImageJSON writes a picture t. media is the SQL of what media addresses begin with, and alt of
// what is said of it.
func ImageJSON(media, alt, more string) string {
	url := func(key string) string { return media + `::text || '/media/' || (` + key + `)` }
	return `jsonb_build_object('id', t.id, 'url', ` + url(`t.sizes->-1->>'key'`) + `, 'alt', nullif(` + alt + `, ''), 'width', t.width, 'height', t.height,
	'sizes', (select coalesce(jsonb_agg(jsonb_build_object('url', ` + url(`s.size->>'key'`) + `, 'width', s.size->'width', 'height', s.size->'height') order by s.n), '[]')
		from jsonb_array_elements(t.sizes) with ordinality s(size, n))` + more + `)`
}

var more = `, 'media_type', t.content_type, 'bytes', t.bytes, 'created_at', ` + postgres.UTC("t.created_at")

var (
	imagesSQL = postgres.List{
		From: "images t where t.product_id is null", Each: ImageJSON("$3", "t.alt", more), Order: "t.id desc", After: "t.id < $2", Position: "t.id",
	}.SQL()
	imageSQL = `select 1 || E'\n' || ` + ImageJSON("$1", "t.alt", more) + ` from images t where t.product_id is null and t.id = $2`
)

// Images is a page of the pictures, the latest first, as the API shows them with addresses that
// begin with media.
func Images(ctx context.Context, db *postgres.DB, media, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, imagesSQL, limit, after, media)
}

// Image is one of them.
func Image(ctx context.Context, from postgres.Source, media, id string) (postgres.Object, error) {
	o, err := from.Object(ctx, imageSQL, media, id)
	return postgres.Found(o, err, "image")
}

// NewImageID is the ID of a picture to come.
func NewImageID() catalog.ImageID { return catalog.ImageID(ids.New(ImagePrefix)) }

// AddImage keeps a picture, whose files are stored already.
func AddImage(ctx context.Context, tx *postgres.Tx, picture catalog.Picture, alt string) error {
	if err := stores.Alone(ctx, tx); err != nil {
		return err
	}
	var count int
	if err := tx.QueryRow(ctx, `select count(*) from images where product_id is null`).Scan(&count); err != nil {
		return fmt.Errorf("count images: %w", err)
	}
	if count >= mostImages {
		return problem.New(problem.Unprocessable, "image_limit", "A store has at most %d images that are no product’s.", mostImages)
	}
	largest := picture.Sizes[len(picture.Sizes)-1]
	row := &image{
		ID: picture.ID, Alt: alt, ContentType: picture.ContentType, Width: largest.Width, Height: largest.Height, Bytes: picture.Bytes,
		Sizes: picture.Sizes, CreatedAt: clock.Now(),
	}
	if err := row.check(); err != nil {
		return err
	}
	if _, err := tx.Bun.NewInsert().Model(row).Exec(ctx); err != nil {
		return fmt.Errorf("keep image %s: %w", row.ID, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "content_image.create", ObjectID: string(row.ID), After: row})
	return nil
}

func (i *image) check() error {
	wrong := problem.New(problem.Unprocessable, "image_invalid", "The image cannot be kept as it is.")
	Line(wrong, &i.Alt, "/alt", 0, maxAlt)
	return wrong.OrNil()
}

func lockImage(ctx context.Context, tx *postgres.Tx, id catalog.ImageID) (*image, error) {
	row := &image{}
	err := tx.Bun.NewSelect().Model(row).Where("i.id = ? and i.product_id is null", id).For("no key update").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.Missing("image")
	}
	if err != nil {
		return nil, fmt.Errorf("read image %s: %w", id, err)
	}
	return row, nil
}

// UpdateImage changes what is said of a picture; nil leaves it.
func UpdateImage(ctx context.Context, tx *postgres.Tx, id catalog.ImageID, alt *string) error {
	row, err := lockImage(ctx, tx, id)
	if err != nil {
		return err
	}
	before := *row
	merge.Set(&row.Alt, alt)
	if err := row.check(); err != nil {
		return err
	}
	if row.Alt == before.Alt {
		return nil
	}
	if _, err := tx.Bun.NewUpdate().Model(row).Column("alt").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("change image %s: %w", id, err)
	}
	stores.Touch(tx)
	journal.Audit(ctx, tx, journal.Entry{Action: "content_image.update", ObjectID: string(id), Before: &before, After: row})
	return nil
}

// imageRows are the rows of a picture by which it can be brought back.
var imageRows = postgres.Part{Table: "images", Of: "x.id = $1"}

// usedSQL says whether anything names the picture $1: its files' addresses hold its ID, too.
const usedSQL = `select exists (select from settings s where position($1 in s.theme::text || coalesce(s.theme_draft::text, '') || s.menus::text) > 0)
	or exists (select from contents c where c.image_id = $1 or position($1 in c.body) > 0)`

// DeleteImage takes a picture away that nothing shows. Its files go once it cannot come back any
// more.
func DeleteImage(ctx context.Context, tx *postgres.Tx, id catalog.ImageID) error {
	if _, err := tx.Exec(ctx, `select from settings where id = 1 for no key update`); err != nil { // so that no theme takes it meanwhile
		return fmt.Errorf("lock settings: %w", err)
	}
	row, err := lockImage(ctx, tx, id)
	if err != nil {
		return err
	}
	var used bool
	if err = tx.QueryRow(ctx, usedSQL, string(id)).Scan(&used); err != nil {
		return fmt.Errorf("look where image %s is shown: %w", id, err)
	}
	if used {
		return problem.New(problem.Conflict, "image_in_use", "The theme, its draft, a page or a post shows this image.")
	}
	kept, err := tx.Keep(ctx, string(id), imageRows)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `delete from images where id = $1`, string(id)); err != nil {
		return fmt.Errorf("delete image %s: %w", id, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "content_image.delete", ObjectID: string(id), Before: row, Kept: kept})
	return nil
}

// RestoreImage brings back a picture that was deleted.
func RestoreImage(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	if err := tx.Restore(ctx, kept, imageRows); err != nil {
		return err
	}
	row, err := lockImage(ctx, tx, catalog.ImageID(id))
	if err != nil {
		return err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "content_image.restore", ObjectID: id, After: row})
	return nil
}
