package themes

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Shop is how a shop looks, and what its pages have to know of what its design and its menus
// name.
type Shop struct {
	Design  Design
	Menus   map[string][]Item // those that the merchant has arranged
	Targets map[string]Target // that shoppers can see
	Images  json.RawMessage   // the pictures by their IDs, as the shop's reads give them
	Legal   []LegalPage       // that are published, in the order of content.Purposes
}

// LegalPage is a page that the law asks for.
type LegalPage struct {
	Purpose string `json:"purpose"`
	Handle  string `json:"handle"`
	Title   string `json:"title"`
}

var shopSQL = translations.Speak(3, func(in translations.In) string {
	alt := in.Text(in.Said(`t.translations`), `alt`, `t.alt`)
	return `select s.theme_version || E'\n' || json_build_object('accent', coalesce(s.theme->>'accent_color', ''), 'published', d.design, 'menus', s.menus,
	'targets', ` + targetsOf(in, "n.ids") + `, 'texts', ` + in.Said(`s.translations`) + `,
	'images', (select coalesce(jsonb_object_agg(t.id, ` + content.ImageJSON(`''`, alt, "") + `), '{}') from images t where t.product_id is null and t.state = 'ready' and t.id = any(n.ids)),
	'legal', (select coalesce(jsonb_agg(jsonb_build_object('purpose', e.purpose, 'handle', e.handle, 'title', ` + in.Text(in.Said(`e.translations`), `title`, `e.title`) + `)
		order by array_position($2::text[], e.purpose)), '[]') from contents e where e.purpose <> '' and e.published_at <= now()))
from settings s cross join lateral (select case when $1::boolean then coalesce(s.theme_draft, s.theme->'design') else s.theme->'design' end as design offset 0) d
	cross join lateral (select ` + idsIn(`jsonb_build_array(d.design, s.menus)`) + ` as ids offset 0) n where s.id = 1`
})

// ReadShop reads it by one statement, in the locales; the draft instead of what was published, where
// there is one and it is asked for.
func ReadShop(ctx context.Context, db *postgres.DB, locales []string, draft bool) (Shop, error) {
	statement, args := shopSQL.In(locales, draft, content.Purposes)
	o, err := db.Object(ctx, statement, args...)
	if o, err = postgres.Found(o, err, "theme"); err != nil {
		return Shop{}, err
	}
	var read struct {
		state
		Texts  map[string]string `json:"texts"`
		Images json.RawMessage   `json:"images"`
		Legal  []LegalPage       `json:"legal"`
	}
	if err := json.Unmarshal(o.Data, &read); err != nil {
		return Shop{}, fmt.Errorf("read the shop's theme: %w", err)
	}
	shop := Shop{Design: read.design(), Menus: map[string][]Item{}, Targets: read.Targets, Images: read.Images, Legal: read.Legal}
	maps.DeleteFunc(shop.Targets, func(_ string, t Target) bool { return t.Hidden })
	shop.Design.say(read.Texts)
	for name, menu := range read.Menus {
		if menu.Items != nil {
			sayItems(menu.Items, "menus/"+name+"/", read.Texts)
			shop.Menus[name] = menu.Items
		}
	}
	return shop, nil
}

// Lead is where a link leads.
type Lead struct {
	Path  string // within the shop; empty for an address elsewhere
	URL   string // elsewhere
	Title string // of the thing; empty for one of the shop's own pages
}

// Address is the whole address, of a shop whose pages begin with base.
func (l Lead) Address(base string) string {
	if l.URL != "" {
		return l.URL
	}
	return base + l.Path
}

// folders are where the things lie that links lead to.
var folders = map[string]string{"product": "/products/", "category": "/categories/", "collection": "/collections/", "page": "/pages/", "post": "/blog/"}

// Lead is where a link leads; false where there is nothing that shoppers can see.
func (s *Shop) Lead(l Link) (Lead, bool) {
	switch {
	case l.Type == "home":
		return Lead{Path: "/"}, true
	case l.Type == "url" && l.URL != nil && strings.HasPrefix(*l.URL, "/"):
		return Lead{Path: *l.URL}, true
	case l.Type == "url" && l.URL != nil:
		return Lead{URL: *l.URL}, true
	case slices.Contains(places, l.Type):
		return Lead{Path: "/" + l.Type}, true
	case l.ResourceID == nil:
		return Lead{}, false
	}
	t, there := s.Targets[*l.ResourceID]
	return Lead{Path: folders[l.Type] + url.PathEscape(t.Handle), Title: t.Title}, there
}

// say puts texts into a design that are said in another language, by their keys; see
// commerce/translations.
func (d *Design) say(texts map[string]string) {
	if d.Announcement != nil {
		say(&d.Announcement.Text, "announcement", texts)
	}
	for i := range d.Home {
		s := &d.Home[i]
		key := "home/" + s.ID + "/"
		sayOwn(s.Eyebrow, key+"eyebrow", texts)
		sayOwn(s.Heading, key+"heading", texts)
		sayOwn(s.Text, key+"text", texts)
		say(&s.Body, key+"body_html", texts)
		if s.Button != nil {
			sayOwn(s.Button.Label, key+"button", texts)
		}
		if s.SecondButton != nil {
			sayOwn(s.SecondButton.Label, key+"second_button", texts)
		}
		for j := range s.Pictures {
			sayOwn(s.Pictures[j].Caption, fmt.Sprintf("%spictures/%d/caption", key, j), texts)
		}
		for j := range s.Questions {
			say(&s.Questions[j].Question, fmt.Sprintf("%squestions/%d/question", key, j), texts)
			say(&s.Questions[j].Answer, fmt.Sprintf("%squestions/%d/answer_html", key, j), texts)
		}
	}
}

func sayItems(items []Item, key string, texts map[string]string) {
	for i := range items {
		sayOwn(items[i].Label, key+items[i].ID, texts)
		sayItems(items[i].Items, key, texts)
	}
}

func say(text *string, key string, texts map[string]string) {
	if said := texts[key]; said != "" {
		*text = said
	}
}

func sayOwn(text *string, key string, texts map[string]string) {
	if text != nil {
		say(text, key, texts)
	}
}
