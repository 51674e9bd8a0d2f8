package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Exported is a product with all that a table of products tells of it.
type Exported struct {
	ID             ProductID         `json:"id"`
	Handle         string            `json:"handle"`
	Title          string            `json:"title"`
	Description    string            `json:"description"`
	Vendor         string            `json:"vendor"`
	Type           string            `json:"type"`
	Category       []string          `json:"category"` // names from the top
	Status         Status            `json:"status"`
	Tags           []string          `json:"tags"`
	Options        []Option          `json:"options"`
	SEOTitle       string            `json:"seo_title"`
	SEODescription string            `json:"seo_description"`
	CustomFields   fields.Values     `json:"custom_fields"`
	Variants       []ExportedVariant `json:"variants"`
	Images         []ExportedImage   `json:"images"`
}

// ExportedVariant is a variant of an Exported, with its price in the store's currency.
type ExportedVariant struct {
	Choices          []string      `json:"choices"`
	SKU              string        `json:"sku"`
	Barcode          string        `json:"barcode"`
	Grams            *int          `json:"grams"`
	TrackStock       bool          `json:"track_stock"`
	Oversell         bool          `json:"oversell"`
	Available        int64         `json:"available"` // in stock and not promised
	RequiresShipping bool          `json:"requires_shipping"`
	Taxable          bool          `json:"taxable"`
	Amount           *int64        `json:"amount"`
	CompareAt        *int64        `json:"compare_at"`
	Cost             *int64        `json:"cost"`
	NetContent       *NetContent   `json:"net_content"`
	ImageID          ImageID       `json:"image_id"`
	CustomFields     fields.Values `json:"custom_fields"`
}

// ExportedImage is an image of an Exported: by its file, or by where it is to be fetched.
type ExportedImage struct {
	ID        ImageID `json:"id"`
	Key       string  `json:"key"`
	SourceURL string  `json:"source_url"`
	Alt       string  `json:"alt"`
}

// exportSQL gives the products after $1 in the order in which they were made, so many at
// most, with prices in a currency.
const exportSQL = `
select json_build_object('id', p.id, 'handle', p.handle, 'title', p.title, 'description', p.description, 'vendor', p.vendor, 'type', p.product_type,
	'category', (select coalesce(json_agg(a.name order by length(a.path)), '[]') from categories c, categories a
		where c.id = p.category_id and a.id = any(string_to_array(c.path, '/'))),
	'status', p.status, 'tags', p.tags, 'options', p.options, 'seo_title', p.seo_title, 'seo_description', p.seo_description, 'custom_fields', p.custom_fields,
	'variants', (select coalesce(json_agg(json_build_object('choices', v.options, 'sku', coalesce(v.sku, ''), 'barcode', v.barcode, 'grams', v.weight_grams,
			'track_stock', v.track_stock, 'oversell', v.oversell, 'available', v.stock - v.reserved, 'requires_shipping', v.requires_shipping,
			'taxable', v.taxable, 'amount', r.amount, 'compare_at', r.compare_at_amount, 'cost', case when v.cost_currency = $3 then v.cost_amount end,
			'net_content', v.net_content, 'image_id', coalesce(v.image_id, ''), 'custom_fields', v.custom_fields) order by v.position, v.id), '[]')
		from variants v left join prices r on r.variant_id = v.id and r.currency = $3 where v.product_id = p.id),
	'images', (select coalesce(json_agg(json_build_object('id', i.id, 'key', coalesce(i.sizes->-1->>'key', ''), 'source_url', i.source_url, 'alt', i.alt)
			order by i.position, i.id), '[]')
		from images i where i.product_id = p.id))
from products p where p.id > $1 and ($4::timestamptz is null or p.created_at >= $4) and ($5::timestamptz is null or p.created_at < $5) order by p.id limit $2`

// Export reads the products after one of them in the order in which they were made, so many
// at most, of those that were made since an instant and until another; nil does not limit.
func Export(ctx context.Context, tx *postgres.Tx, after string, most int, currency string, since, until *time.Time) ([]Exported, error) {
	rows, err := tx.Query(ctx, exportSQL, after, most, currency, since, until)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Exported, err error) {
		var raw []byte
		if err := row.Scan(&raw); err != nil {
			return p, err
		}
		return p, json.Unmarshal(raw, &p)
	})
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	return list, nil
}
