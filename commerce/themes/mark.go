package themes

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Mark is what a shop is known by where its pages are not seen, as in its mails.
type Mark struct {
	Color string // of its buttons in the light: "#rrggbb"
	Logo  *Logo  // nil where it has none
}

// Logo is a picture in a size that stays sharp on fine screens at a quarter of a page's width.
type Logo struct {
	Path   string `json:"path"`  // within the shop
	Width  int    `json:"width"` // in pixels
	Height int    `json:"height"`
}

// Where no size is as wide as it is to be, the widest is taken.
const markSQL = `select s.theme_version || E'\n' || json_build_object('accent', coalesce(s.theme->>'accent_color', ''), 'published', s.theme->'design', 'logo', (
	select jsonb_build_object('path', '/media/' || (z.size->>'key'), 'width', z.size->'width', 'height', z.size->'height')
	from images t, jsonb_array_elements(t.sizes) z(size) where t.product_id is null and t.state = 'ready' and t.id = s.theme->'design'->>'logo_image_id'
	order by ((z.size->>'width')::int < 320), abs((z.size->>'width')::int - 320) limit 1))
from settings s where s.id = 1`

// ReadMark reads that of the shop as it was published.
func ReadMark(ctx context.Context, from postgres.Source) (Mark, error) {
	o, err := from.Object(ctx, markSQL)
	if o, err = postgres.Found(o, err, "theme"); err != nil {
		return Mark{}, err
	}
	var read struct {
		state
		Logo *Logo `json:"logo"`
	}
	if err := json.Unmarshal(o.Data, &read); err != nil {
		return Mark{}, fmt.Errorf("read the shop's mark: %w", err)
	}
	design := read.design()
	scheme := design.Colors.over(presets[design.Theme].light, read.Accent)
	return Mark{Color: scheme.Button.String(), Logo: read.Logo}, nil
}
