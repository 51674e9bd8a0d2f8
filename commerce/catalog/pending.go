package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// PendingImage is a picture that is still to be fetched from an address.
type PendingImage struct {
	ProductID ProductID
	SourceURL string
	Alt       string
}

// pendingRow is a PendingImage with its place in a statement's argument.
type pendingRow struct {
	ID        ImageID   `json:"id"`
	ProductID ProductID `json:"product_id"`
	Nth       int       `json:"nth"` // among those of its product, from 0
	SourceURL string    `json:"source_url"`
	Alt       string    `json:"alt"`
}

// AddPendingImages gives products pictures that are still to be fetched, each in the last
// place. The products are locked or new in this transaction. Where a product can have no
// more, the ID is empty. FinishImage or FailImage says what became of an image.
func (s *Service) AddPendingImages(ctx context.Context, tx *postgres.Tx, images []PendingImage) ([]ImageID, error) {
	if len(images) == 0 {
		return nil, nil
	}
	rows, nth := make([]pendingRow, len(images)), map[ProductID]int{}
	for i, in := range images {
		rows[i] = pendingRow{ImageID(ids.New("img")), in.ProductID, nth[in.ProductID], in.SourceURL, tidyAlt(in.Alt)}
		nth[in.ProductID]++
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("insert pending images: %w", err)
	}
	result, err := tx.Query(ctx, `
		with x as (
			select * from jsonb_to_recordset($1::jsonb) as x(id text, product_id text, nth int, source_url text, alt text)
		), has as (
			select product_id, count(i.id) as n from (select distinct product_id from x) p left join images i using (product_id) group by product_id
		)
		insert into images (id, product_id, position, alt, state, source_url, created_at)
		select x.id, x.product_id, has.n + x.nth, x.alt, $2, x.source_url, $3
		from x join has using (product_id) where has.n + x.nth < $4
		returning id`, string(raw), imagePending, clock.Now(), maxImages)
	if err != nil {
		return nil, fmt.Errorf("insert pending images: %w", err)
	}
	inserted := map[ImageID]bool{}
	var id ImageID
	_, err = pgx.ForEachRow(result, []any{&id}, func() error {
		inserted[id] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("insert pending images: %w", err)
	}
	made := make([]ImageID, len(images))
	for i, row := range rows {
		if !inserted[row.ID] {
			continue
		}
		made[i] = row.ID
		journal.Audit(ctx, tx, journal.Entry{Action: "image.create", ObjectID: string(row.ID), After: row})
	}
	return made, nil
}

// tidyAlt makes one line of what is said of a picture, cut to what is kept.
func tidyAlt(alt string) string {
	alt = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.TrimSpace(alt))
	if runes := []rune(alt); len(runes) > maxAlt {
		alt = string(runes[:maxAlt])
	}
	return alt
}

// AwaitImages has images that could not be fetched wait to be fetched again.
func (s *Service) AwaitImages(ctx context.Context, tx *postgres.Tx, images []ImageID) error {
	if len(images) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `update images set state = $2 where id = any($1) and state = $3`, images, imagePending, imageFailed); err != nil {
		return fmt.Errorf("await images: %w", err)
	}
	for _, id := range images {
		journal.Audit(ctx, tx, journal.Entry{Action: "image.await", ObjectID: string(id)})
	}
	return nil
}

// ShowImage has variants of a product show one of its images. Variants that are gone or
// another product's are passed over.
func (s *Service) ShowImage(ctx context.Context, tx *postgres.Tx, productID ProductID, image ImageID, variants []VariantID) error {
	if len(variants) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `update variants set image_id = $2, version = version + 1, updated_at = $4
		where product_id = $1 and id = any($3) and image_id is distinct from $2
			and exists (select from images where id = $2 and product_id = $1)`, productID, image, variants, clock.Now())
	if err != nil {
		return fmt.Errorf("show image %s: %w", image, err)
	}
	for _, id := range variants {
		journal.Audit(ctx, tx, journal.Entry{Action: "variant.update", ObjectID: string(id), After: map[string]ImageID{"image_id": image}})
	}
	return nil
}
