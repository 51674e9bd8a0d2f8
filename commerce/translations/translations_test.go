package translations_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/locales"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// store is a store that is written in English and translated into much.
type store struct {
	db  *postgres.DB
	ctx context.Context
}

func open(t *testing.T, others ...string) store {
	t.Helper()
	platform := testdb.Open(t)
	s := store{platform.DB, platform.Store(t)}
	list := []string{}
	for _, name := range others {
		list = append(list, fmt.Sprintf(`{"locale": %q, "published": true}`, name))
	}
	s.exec(t, `update settings set locales = $1::jsonb`, "["+strings.Join(list, ",")+"]")
	return s
}

func (s store) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	err := s.db.InStore(s.ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// write changes translations, and gives the problem.
func (s store) write(locale string, changes ...translations.Change) error {
	return s.db.InStore(s.ctx, func(ctx context.Context, tx *postgres.Tx) error { return translations.Write(ctx, tx, locale, changes) })
}

func said(texts ...string) map[string]*string {
	m := map[string]*string{}
	for i := 0; i < len(texts); i += 2 {
		if m[texts[i]] = &texts[i+1]; texts[i+1] == "" {
			m[texts[i]] = nil
		}
	}
	return m
}

// TestFallback writes texts in locales of all kinds, and reads each field in each: it is that
// of the nearest locale which has it, or the source.
func TestFallback(t *testing.T) {
	t.Parallel()
	names := []string{"de", "de-AT", "zh-Hant", "zh-TW", "pt", "pt-PT", "pt-AO", "sr-Latn"}
	s := open(t, names...)
	fields := []string{"title", "seo_title", "seo_description"}
	id := ids.New("prod")
	s.exec(t, `insert into products (id, handle, title, seo_title, seo_description, status) values ($1, 'bowl', 'title', 'seo_title', 'seo_description', 'active')`, id)
	set := locales.New("en", names...)
	statement := translations.Speak(2, func(in translations.In) string {
		return `select json_build_array(` + in.Text("t.said", "title", "p.title") + `, ` + in.Text("t.said", "seo_title", "p.seo_title") + `, ` +
			in.Text("t.said", "seo_description", "p.seo_description") + `) from products p` + in.From("p.translations") + ` where p.id = $1`
	})
	model := map[string]map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		locale, field := rapid.SampledFrom(names).Draw(t, "locale"), rapid.SampledFrom(fields).Draw(t, "field")
		text := rapid.SampledFrom([]string{"", locale + " " + field}).Draw(t, "text")
		if err := s.write(locale, translations.Change{ID: id, Texts: said(field, text)}); err != nil {
			t.Fatal(err)
		}
		if model[locale] == nil {
			model[locale] = map[string]string{}
		}
		model[locale][field] = text
		asked := rapid.SampledFrom(append(names, "en", "de-CH")).Draw(t, "asked")
		chain := set.Chain(set.Match(asked))
		query, args := statement.In(chain, id)
		raw, err := s.db.JSON(s.ctx, query, args...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		for i, field := range fields {
			want := field
			for _, name := range slices.Backward(chain) {
				if text := model[name][field]; text != "" {
					want = text
				}
			}
			if got[i] != want {
				t.Fatalf("%s in %s (%v): %q, want %q", field, asked, chain, got[i], want)
			}
		}
	})
}

// Everything that has texts is translated, listed page by page, and told by its state.
func TestEveryResource(t *testing.T) {
	t.Parallel()
	s := open(t, "de")
	product := ids.New("prod")
	s.exec(t, `insert into products (id, handle, title, status) values ($1, 'bowl', 'Bowl', 'active')`, product)
	s.exec(t, `insert into field_definitions (id, resource, key, name, type, shown, validations) values
		($1, 'variant', 'note', 'Note', 'multiline_text', true, '{}'), ($2, 'product', 'glaze', 'Glaze', 'choice', true, '{"choices": ["a/b"]}'), ($3, 'product', 'secret', 'Secret', 'text', false, '{}')`,
		ids.New("cfd"), ids.New("cfd"), ids.New("cfd"))
	s.exec(t, `insert into variants (id, product_id, position, title, custom_fields) values ($1, $2, 0, '', '{"note": "Old"}'), ($3, $2, 1, '', '{}')`, ids.New("var"), product, ids.New("var"))
	s.exec(t, `insert into images (id, product_id, position, alt, state) values ($1, $2, 0, 'A bowl', 'ready'), ($3, $2, 1, '', 'ready'), ($4, $2, 2, 'x', 'failed')`, ids.New("img"), product, ids.New("img"), ids.New("img"))
	for range 3 {
		id := ids.New("cat")
		s.exec(t, `insert into categories (id, path, name, handle) values ($1, $1 || '/', 'Pots', $1)`, id)
	}
	s.exec(t, `insert into collections (id, handle, title) values ($1, 'new', 'New')`, ids.New("col"))
	s.exec(t, `insert into shipping_methods (id, name, prices) values ($1, 'Express', '{}')`, ids.New("shp"))
	for resource, want := range map[translations.Resource]struct {
		things int
		key    string
	}{
		"product": {1, "title"}, "variant": {1, "custom_fields/note"}, "image": {1, "alt"}, "category": {3, "name"}, "collection": {1, "name"},
		"shipping_method": {1, "name"}, "store": {1, "name"}, "field_definition": {2, "name"},
	} {
		var found []translations.Translation
		for after := ""; ; {
			page, next, err := translations.List(s.ctx, s.db, translations.Filter{Locale: "de", Resource: resource, After: after, Limit: 2})
			if err != nil || len(page) > 2 {
				t.Fatalf("%s: %d, %v", resource, len(page), err)
			}
			found = append(found, page...)
			if after = next; next == "" {
				break
			}
		}
		if resource == "shipping_method" {
			found = slices.DeleteFunc(found, func(f translations.Translation) bool { return f.Texts[0].Source != "Express" }) // a store begins with one
		}
		if len(found) != want.things {
			t.Errorf("%d of each %s", len(found), resource)
			continue
		}
		id := found[0].ResourceID
		if err := s.write("de", translations.Change{ID: id, Texts: said(want.key, "auf Deutsch")}); err != nil {
			t.Fatalf("%s: %v", resource, err)
		}
		read, err := translations.Read(s.ctx, s.db, "DE", id)
		if err != nil || read.Version != 2 || read.Locale != "de" || read.Resource != resource {
			t.Errorf("%s: %+v, %v", resource, read, err)
		}
		at := slices.IndexFunc(read.Texts, func(text translations.Text) bool { return text.Key == want.key })
		if got := read.Texts[at].Translation; got == nil || *got != "auf Deutsch" || read.State == translations.Missing {
			t.Errorf("%s: %+v", resource, read)
		}
		done, _, err := translations.List(s.ctx, s.db, translations.Filter{Locale: "de", Resource: resource, State: read.State, Limit: 100})
		if err != nil || len(done) != 1 || done[0].ResourceID != id {
			t.Errorf("%s: %+v, %v", resource, done, err)
		}
	}
	if _, _, err := translations.List(s.ctx, s.db, translations.Filter{Locale: "de", Resource: "planet", Limit: 1}); err == nil {
		t.Error("planets are translated")
	}
	if _, err := translations.Read(s.ctx, s.db, "fr", product); !problem.Is(err, "unknown_locale") {
		t.Error(err)
	}
}

// A thousand things that are not in the state that is asked for make a page that is short and
// not the last.
func TestALongWayToAState(t *testing.T) {
	t.Parallel()
	s := open(t, "de")
	s.exec(t, `insert into categories (id, path, name, handle) select 'cat_' || lpad(n::text, 26, '0'), n::text, 'Pots', 'pots-' || n from generate_series(1, 1100) n`)
	last := fmt.Sprintf("cat_%026d", 1100)
	if err := s.write("de", translations.Change{ID: last, Texts: said("name", "Töpfe")}); err != nil {
		t.Fatal(err)
	}
	page, next, err := translations.List(s.ctx, s.db, translations.Filter{Locale: "de", Resource: "category", State: translations.Complete, Limit: 5})
	if err != nil || len(page) != 0 || next == "" {
		t.Fatalf("%d, %q, %v", len(page), next, err)
	}
	page, next, err = translations.List(s.ctx, s.db, translations.Filter{Locale: "de", Resource: "category", State: translations.Complete, After: next, Limit: 5})
	if err != nil || len(page) != 1 || page[0].ResourceID != last || next != "" {
		t.Fatalf("%+v, %q, %v", page, next, err)
	}
}

// What is too much in one locale, or in all together, is refused.
func TestBounds(t *testing.T) {
	t.Parallel()
	s := open(t, "de")
	id := ids.New("prod")
	s.exec(t, `insert into products (id, handle, title, status, custom_fields) select $1, 'bowl', 'Bowl', 'active', jsonb_build_object('long', jsonb_agg('x' || n)) from generate_series(1, 20) n`, id)
	s.exec(t, `insert into field_definitions (id, resource, key, name, type, shown, list) values ($1, 'product', 'long', 'Long', 'multiline_text', true, true)`, ids.New("cfd"))
	texts := map[string]*string{}
	long := strings.Repeat("y", 19_000)
	for n := range 20 {
		texts[fmt.Sprintf("custom_fields/long/%d", n)] = &long
	}
	if err := s.write("de", translations.Change{ID: id, Texts: texts}); !problem.Is(err, "invalid_translation") {
		t.Error(err)
	}
	// Random letters, which no compression makes less of.
	s.exec(t, `update products set translations = jsonb_build_object('fr', jsonb_build_object('version', 1, 'texts', jsonb_build_object('title',
		(select string_agg(md5(n::text), '') from generate_series(1, 31200) n)), 'sources', '{}'::jsonb))`)
	noise := []byte{}
	for n := range 60_000 {
		noise = append(noise, "abcdefghijklmnopqrstuvwxyz0123456789"[(n*n+n/7)%36])
	}
	if err := s.write("de", translations.Change{ID: id, Texts: said("description_html", string(noise))}); !problem.Is(err, "invalid_translation") {
		t.Error(err)
	}
}
