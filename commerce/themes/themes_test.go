package themes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/colors"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

type shop struct{ *shoptest.Shop }

func open(t *testing.T) shop {
	t.Helper()
	return shop{shoptest.New(t, testdb.Open(t))}
}

// do runs a change in the store.
func (s shop) do(change func(context.Context, *postgres.Tx) error) error {
	return s.DB.InStore(s.Ctx, change)
}

func (s shop) update(patch string) error {
	return s.do(func(ctx context.Context, tx *postgres.Tx) error {
		return themes.Update(ctx, tx, 0, json.RawMessage(patch))
	})
}

func (s shop) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s shop) read(t *testing.T) themes.Shown {
	t.Helper()
	shown, err := themes.Read(s.Ctx, s.DB)
	s.must(t, err)
	return shown
}

func step(take func(context.Context, *postgres.Tx, int) error) func(context.Context, *postgres.Tx) error {
	return func(ctx context.Context, tx *postgres.Tx) error { return take(ctx, tx, 0) }
}

// faults are what a problem names, as "pointer code".
func faults(err error) string {
	p := problem.As(err)
	if p == nil {
		return fmt.Sprint(err)
	}
	var list []string
	for _, f := range p.Faults {
		list = append(list, f.Pointer+" "+f.Code)
	}
	return p.Code + ": " + strings.Join(list, ", ")
}

func TestDraftsAndPublishing(t *testing.T) {
	t.Parallel()
	s := open(t)
	if shown := s.read(t); shown.Theme != themes.Boutique || shown.Unpublished || shown.PublishedAt != nil || len(shown.Home) == 0 {
		t.Errorf("a new shop: %+v", shown)
	}
	if err := s.do(step(themes.Publish)); !problem.Is(err, "nothing_to_publish") {
		t.Error(err)
	}
	s.must(t, s.update(`{"theme": "brand", "corners": "sharp", "home": [{"id": "hero", "type": "hero", "heading": " Linen ", "text": " "}]}`))
	shown := s.read(t)
	if !shown.Unpublished || shown.Theme != themes.Brand || len(shown.Home) != 1 || *shown.Home[0].Heading != "Linen" || shown.Home[0].Text != nil || shown.Home[0].Layout != "split" {
		t.Errorf("drafted: %+v", shown)
	}
	looks := func(draft bool) string {
		look, err := themes.ReadShop(s.Ctx, s.DB, nil, draft)
		s.must(t, err)
		return fmt.Sprint(look.Design.Theme, " ", len(look.Design.Home))
	}
	if looks(false) != "boutique 4" || looks(true) != "brand 1" {
		t.Errorf("before it is published: %s, %s", looks(false), looks(true))
	}
	if err := s.do(func(ctx context.Context, tx *postgres.Tx) error {
		return themes.Update(ctx, tx, 1, json.RawMessage(`{}`))
	}); !problem.Is(err, "stale") {
		t.Error(err)
	}
	s.must(t, s.do(step(themes.Publish)))
	if shown = s.read(t); shown.Unpublished || shown.PublishedAt == nil || looks(false) != "brand 1" {
		t.Errorf("published: %+v", shown)
	}
	kept := shoptest.Value[string](t, s.Shop, `select k.kept::text from audit_kept k join audit_entries e on e.id = k.entry_id where e.action = 'theme.publish'`)
	s.must(t, s.update(`{"theme": "catalogue"}`))
	undo := func(ctx context.Context, tx *postgres.Tx) error {
		return themes.Unpublish(ctx, tx, "", json.RawMessage(kept))
	}
	if err := s.do(undo); !problem.Is(err, "changed_since") {
		t.Errorf("taken back over a draft: %v", err)
	}
	s.must(t, s.do(step(themes.Discard)))
	s.must(t, s.do(step(themes.Discard))) // there is none any more
	if shown = s.read(t); shown.Theme != themes.Brand || shown.Unpublished {
		t.Errorf("discarded: %+v", shown)
	}
	s.must(t, s.do(undo))
	if shown = s.read(t); !shown.Unpublished || shown.Theme != themes.Brand || looks(false) != "boutique 4" {
		t.Errorf("taken back: %+v", shown)
	}
	if n := shoptest.Value[int](t, s.Shop, `select count(*)::int from events where type = 'settings.updated' and data->>'part' = 'theme'`); n != 2 {
		t.Errorf("%d events", n)
	}
	list, err := themes.List(s.Ctx, s.DB)
	if err != nil || len(list) != 3 || *list[2].Colors.Background != "#ffffff" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	gone := ids.New("col")
	for patch, want := range map[string]string{
		`{"theme": "baroque"}`:                                        "/theme enum",
		`{"heading_font": "fraktur"}`:                                 "/heading_font enum",
		`{"corners": "torn"}`:                                         "/corners enum",
		`{"colors": {"text": "#999999"}}`:                             "/colors/text contrast, /colors/text contrast",
		`{"colors": {"background": "#333333"}}`:                       "/colors/background contrast, /colors/background contrast",
		`{"colors": {"button": "#c0ffee", "button_text": "#ffffff"}}`: "/colors/button_text contrast, /colors/button contrast",
		`{"colors": {"accent": "red"}}`:                               "/colors/accent pattern",
		`{"dark_colors": {"text": "#222222"}}`:                        "/dark_colors/text contrast, /dark_colors/text contrast",
		`{"dark_mode": false, "dark_colors": {"text": "#222222"}}`:    "",
		`{"announcement": {"text": ""}}`:                              "/announcement/text required",
		`{"announcement": {"text": "x", "link": {"type": "url", "url": "javascript:alert(1)"}}}`:   "/announcement/link/url pattern",
		`{"announcement": {"text": "x", "link": {"type": "url", "url": "//example.com"}}}`:         "/announcement/link/url pattern",
		`{"announcement": {"text": "x", "link": {"type": "home", "url": "/x"}}}`:                   "/announcement/link/url excluded",
		`{"announcement": {"text": "x", "link": {"type": "home", "resource_id": "` + gone + `"}}}`: "/announcement/link/resource_id excluded",
		`{"announcement": {"text": "x", "link": {"type": "moon"}}}`:                                "/announcement/link/type enum",
		`{"logo_image_id": "` + ids.New("cimg") + `"}`:                                             "/logo_image_id unknown_reference",
		`{"logo_image_id": "logo"}`:                                                                            "/logo_image_id unknown_reference",
		`{"home": [{"id": "a", "type": "poem"}]}`:                                                              "/home/0/type enum",
		`{"home": [{"id": "A b", "type": "hero"}]}`:                                                            "/home/0/id pattern",
		`{"home": [{"id": "a", "type": "hero"}, {"id": "a", "type": "faq"}]}`:                                  "/home/1/id repeated",
		`{"home": [{"id": "a", "type": "hero", "layout": "logos"}]}`:                                           "/home/0/layout enum",
		`{"home": [{"id": "a", "type": "product_grid", "limit": 25}]}`:                                         "/home/0/limit out_of_range",
		`{"home": [{"id": "a", "type": "product_grid", "order": "random"}]}`:                                   "/home/0/order enum",
		`{"home": [{"id": "a", "type": "featured_product"}]}`:                                                  "/home/0/product_id required",
		`{"home": [{"id": "a", "type": "featured_collection", "collection_id": "` + gone + `"}]}`:              "/home/0/collection_id unknown_reference",
		`{"home": [{"id": "a", "type": "hero", "button": {"link": {"type": "collection"}}}]}`:                  "/home/0/button/link/resource_id required",
		`{"home": [{"id": "a", "type": "faq", "questions": [{"question": " ", "answer_html": ""}]}]}`:          "/home/0/questions/0/question required",
		`{"home": [{"id": "a", "type": "rich_text", "body_html": "` + strings.Repeat("x", 20001) + `"}]}`:      "/home/0/body_html maxLength",
		`{"home": [{"id": "a", "type": "hero", "heading": "` + strings.Repeat("x", 201) + `"}]}`:               "/home/0/heading maxLength",
		`{"home": [` + strings.Repeat(`{"id": "a", "type": "nothing"},`, 20) + `{"id": "a", "type": "hero"}]}`: "/home maxItems",
	} {
		err := s.update(patch)
		if want == "" {
			s.must(t, err)
			s.must(t, s.do(step(themes.Discard)))
			continue
		}
		if got := faults(err); !strings.HasPrefix(got, "invalid_theme: "+want) {
			t.Errorf("%.200s: %s", patch, got)
		}
	}
	err := s.update(`{"colors": {"text": "#999999"}}`)
	if want := "Text #999999 on the background #fcfbf8 has a contrast of 2.75:1, and needs 4.5:1 to be read."; problem.As(err).Faults[0].Detail != want {
		t.Errorf("the reason is %q", problem.As(err).Faults[0].Detail)
	}
}

// Whatever accent a store has, what a theme makes of it can be read; and whatever palette is
// taken can be.
func TestEveryPaletteThatIsTakenCanBeRead(t *testing.T) {
	t.Parallel()
	s := open(t)
	hex := rapid.StringMatching(`#[0-9a-f]{6}`)
	rapid.Check(t, func(t *rapid.T) {
		accent := hex.Draw(t, "accent")
		for _, theme := range themes.Themes(accent) {
			d := themes.Design{Theme: theme.Name, DarkMode: true}
			look := d.Look(accent)
			for _, scheme := range []themes.Scheme{look.Light, *look.Dark} {
				readable(t, scheme)
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		colors := map[string]string{}
		for _, name := range []string{"background", "surface", "text", "accent", "button", "button_text"} {
			if rapid.Bool().Draw(t, "chosen") {
				colors[name] = hex.Draw(t, name)
			}
		}
		raw, _ := json.Marshal(map[string]any{"colors": colors})
		if s.update(string(raw)) == nil {
			shown, err := themes.Read(s.Ctx, s.DB)
			if err != nil {
				t.Fatal(err)
			}
			readable(t, shown.Look("#1f5f5b").Light)
		}
		if err := s.do(step(themes.Discard)); err != nil {
			t.Fatal(err)
		}
	})
}

func readable(t *rapid.T, s themes.Scheme) {
	for _, pair := range [][2]colors.Color{{s.Text, s.Background}, {s.Text, s.Surface}, {s.Accent, s.Background}, {s.Accent, s.Surface}, {s.ButtonText, s.Button}} {
		if got := pair[0].Contrast(pair[1]); got < colors.Text {
			t.Fatalf("%s on %s has %v: %+v", pair[0], pair[1], got, s)
		}
	}
	if got := s.Button.Contrast(s.Background); got < colors.Shape {
		t.Fatalf("a button %s on %s has %v", s.Button, s.Background, got)
	}
}

// A thing that is named and goes is told of, and what it is in cannot be published again.
func TestDeadLinks(t *testing.T) {
	t.Parallel()
	s := open(t)
	product, collection := ids.New("prod"), ids.New("col")
	s.Exec(t, `insert into products (id, handle, title, status) values ($1, 'bowl', 'Bowl', 'active')`, product)
	s.Exec(t, `insert into collections (id, handle, title) values ($1, 'table', 'Table')`, collection)
	home := fmt.Sprintf(`{"home": [{"id": "a", "type": "featured_product", "product_id": %q}, {"id": "b", "type": "rich_text", "body_html": "<p onclick='x'>Hi</p>",
		"button": {"link": {"type": "collection", "resource_id": %q}}}]}`, product, collection)
	s.must(t, s.update(home))
	menu := func(items string) error {
		return s.do(func(ctx context.Context, tx *postgres.Tx) error {
			return themes.UpdateMenu(ctx, tx, "header", 0, json.RawMessage(`{"items": `+items+`}`))
		})
	}
	s.must(t, menu(fmt.Sprintf(`[{"id": "shop", "link": {"type": "products"}, "items": [{"id": "table", "label": "The table", "link": {"type": "collection", "resource_id": %q}}]}]`, collection)))
	if shown := s.read(t); len(shown.Dead) != 0 || shown.Home[1].Body != "<p>Hi</p>" {
		t.Errorf("%+v", shown)
	}
	look, err := themes.ReadShop(s.Ctx, s.DB, nil, true)
	if err != nil || look.Targets[product].Handle != "bowl" || look.Targets[collection].Title != "Table" || len(look.Menus["header"]) != 1 {
		t.Errorf("%+v, %v", look, err)
	}
	s.Exec(t, `update products set status = 'draft'`)
	s.Exec(t, `delete from collections`)
	if got := fmt.Sprint(s.read(t).Dead); got != "[{/home/0/product_id "+product+" hidden} {/home/1/button/link/resource_id "+collection+" missing}]" {
		t.Error(got)
	}
	header, err := themes.ReadMenu(s.Ctx, s.DB, "header")
	if err != nil || fmt.Sprint(header.Dead) != "[{/items/0/items/0/link/resource_id "+collection+" missing}]" {
		t.Errorf("%+v, %v", header, err)
	}
	if look, err = themes.ReadShop(s.Ctx, s.DB, nil, true); err != nil || len(look.Targets) != 0 {
		t.Errorf("%+v, %v", look.Targets, err)
	}
	s.must(t, s.update(`{"corners": "round"}`)) // which they hinder nobody from
	s.must(t, s.do(step(themes.Publish)))
	for items, want := range map[string]string{
		`[{"id": "a", "link": {"type": "url", "url": "/x"}}]`: "/items/0/label required", `[{"id": "a b", "link": {"type": "home"}}]`: "/items/0/id pattern",
		`[{"id": "a", "link": {"type": "home"}}, {"id": "a", "link": {"type": "home"}}]`:                                                              "/items/1/id repeated",
		`[{"id": "a", "link": {"type": "home"}, "items": [{"id": "b", "link": {"type": "home"}, "items": [{"id": "c", "link": {"type": "home"}}]}]}]`: "/items/0/items/0/items maxItems",
		`[` + strings.TrimSuffix(strings.Repeat(`{"id": "a", "link": {"type": "home"}},`, 21), ",") + `]`:                                             "/items maxItems",
	} {
		if got := faults(menu(items)); !strings.HasPrefix(got, "invalid_menu: "+want) {
			t.Errorf("%.200s: %s", items, got)
		}
	}
	s.must(t, menu(`null`))
	list, err := themes.ReadMenus(s.Ctx, s.DB)
	if err != nil || len(list) != 2 || list[1].Items != nil || list[1].Version != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := themes.ReadMenu(s.Ctx, s.DB, "kitchen"); !problem.Is(err, "not_found") {
		t.Error(err)
	}
}

// What the merchant has arranged is translated with the store's own texts.
func TestArrangedTextsAreTranslated(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Exec(t, `update settings set locales = '[{"locale": "de", "published": true}]'`)
	s.must(t, s.update(`{"announcement": {"text": "Free"}, "home": [
		{"id": "hero", "type": "hero", "eyebrow": "Since", "heading": "Linen", "text": "Soft", "button": {"label": "Look", "link": {"type": "products"}}, "second_button": {"label": "More", "link": {"type": "home"}}},
		{"id": "words", "type": "rich_text", "body_html": "<p>Hi</p>"}, {"id": "asked", "type": "faq", "questions": [{"question": "Why?", "answer_html": "<p>So</p>"}]}]}`))
	s.must(t, s.do(func(ctx context.Context, tx *postgres.Tx) error {
		return themes.UpdateMenu(ctx, tx, "footer", 0, json.RawMessage(`{"items": [{"id": "all", "label": "All", "link": {"type": "products"}, "items": [{"id": "in", "label": "Inside", "link": {"type": "home"}}]}]}`))
	}))
	ref, _ := postgres.StoreFrom(s.Ctx)
	german := map[string]*string{}
	for key, text := range map[string]string{
		"announcement": "Gratis", "home/hero/eyebrow": "Seit", "home/hero/heading": "Leinen", "home/hero/text": "Weich", "home/hero/button": "Schau", "home/hero/second_button": "Mehr",
		"home/words/body_html": "<p>Hallo</p>", "home/asked/questions/0/question": "Warum?", "home/asked/questions/0/answer_html": "<p>Darum</p>", "menus/footer/all": "Alles", "menus/footer/in": "Innen",
	} {
		german[key] = &text
	}
	s.must(t, s.do(func(ctx context.Context, tx *postgres.Tx) error {
		return translations.Write(ctx, tx, "de", []translations.Change{{ID: ref.ID, Texts: german}})
	}))
	look, err := themes.ReadShop(s.Ctx, s.DB, []string{"de"}, true)
	s.must(t, err)
	d := look.Design
	got := fmt.Sprint(d.Announcement.Text, *d.Home[0].Eyebrow, *d.Home[0].Heading, *d.Home[0].Text, *d.Home[0].Button.Label, *d.Home[0].SecondButton.Label, d.Home[1].Body, d.Home[2].Questions[0],
		*look.Menus["footer"][0].Label, *look.Menus["footer"][0].Items[0].Label)
	if want := "Gratis Seit Leinen Weich Schau Mehr <p>Hallo</p> {Warum? <p>Darum</p>} Alles Innen"; strings.Join(strings.Fields(got), "") != strings.Join(strings.Fields(want), "") {
		t.Errorf("%s, want %s", got, want)
	}
}
