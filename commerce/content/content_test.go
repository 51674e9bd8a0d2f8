package content_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

type shop struct{ *shoptest.Shop }

func open(t *testing.T) shop {
	t.Helper()
	return shop{shoptest.New(t, testdb.Open(t))}
}

func (s shop) create(kind content.Kind, fields string) (id string, err error) {
	err = s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		id, err = content.Create(ctx, tx, kind, json.RawMessage(fields))
		return err
	})
	return id, err
}

func (s shop) made(t *testing.T, kind content.Kind, fields string) string {
	t.Helper()
	id, err := s.create(kind, fields)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (s shop) update(kind content.Kind, id string, version int, patch string) error {
	return s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return content.Update(ctx, tx, kind, id, version, json.RawMessage(patch))
	})
}

// read is an entry as shoppers read it, or what hinders them.
func (s shop) read(kind content.Kind, name string, locales ...string) string {
	o, err := content.ShopOne(s.Ctx, s.DB, kind, "https://x.example", locales, name)
	if err != nil {
		return problem.As(err).Code
	}
	var shown struct {
		Title, Handle string
		Body          string `json:"body_html"`
	}
	if err := json.Unmarshal(o.Data, &shown); err != nil {
		return err.Error()
	}
	return shown.Handle + ": " + shown.Title + " " + shown.Body
}

const past, future = `"2020-01-02T03:04:05.678Z"`, `"2199-01-01T00:00:00Z"`

func TestPagesAndPosts(t *testing.T) {
	t.Parallel()
	s := open(t)
	about := s.made(t, content.Page, `{"title": " About us ", "body_html": "<p onclick='x'>Hi</p>", "purpose": "legal_notice", "published_at": `+past+`}`)
	if got := s.read(content.Page, "about-us"); got != "about-us: About us <p>Hi</p>" {
		t.Error(got)
	}
	again := s.made(t, content.Page, `{"title": "About us"}`)
	if got := s.read(content.Page, again); got != "not_found" {
		t.Errorf("a draft is read: %s", got)
	}
	if s.made(t, content.Post, `{"title": "About us", "published_at": `+past+`}`); s.read(content.Post, "about-us") != "about-us: About us " {
		t.Error("a post cannot have a page's handle")
	}
	if err := s.update(content.Post, about, 0, `{}`); !problem.Is(err, "not_found") {
		t.Errorf("a page is changed as a post: %v", err)
	}
	for patch, want := range map[string]string{
		`{"handle": "about-us-2"}`: "handle_taken", `{"handle": "A b"}`: "invalid_content", `{"title": " "}`: "invalid_content", `{"purpose": "poetry"}`: "invalid_content",
		`{"image_id": "` + ids.New("cimg") + `"}`: "invalid_content", `{"body_html": "` + strings.Repeat("x", 65536) + `"}`: "invalid_content",
	} {
		if err := s.update(content.Page, about, 0, patch); !problem.Is(err, want) {
			t.Errorf("%.80s: %v", patch, err)
		}
	}
	if err := s.update(content.Page, again, 0, `{"purpose": "legal_notice"}`); !problem.Is(err, "purpose_taken") {
		t.Error(err)
	}
	if err := s.update(content.Page, about, 2, `{"title": "x"}`); !problem.Is(err, "stale") {
		t.Error(err)
	}
	if err := s.update(content.Page, about, 1, `{"handle": "us", "body_html": "<p>Hi</p>"}`); err != nil {
		t.Fatal(err)
	}
	if err := s.update(content.Page, about, 2, `{"handle": "us"}`); err != nil { // nothing
		t.Fatal(err)
	}
	if now, err := content.Moved(s.Ctx, s.DB, content.Page, "about-us"); err != nil || now != "us" {
		t.Errorf("%s, %v", now, err)
	}
	if _, err := content.Moved(s.Ctx, s.DB, content.Post, "us"); !problem.Is(err, "not_found") {
		t.Error(err)
	}
	events := shoptest.Value[string](t, s.Shop, `select string_agg(type, ' ' order by object_sequence) from events where object_id = $1`, about)
	if events != "page.created page.updated" {
		t.Error(events)
	}
	remove := func(ctx context.Context, tx *postgres.Tx) error {
		return content.Delete(ctx, tx, content.Page, about, 2)
	}
	if err := s.DB.InStore(s.Ctx, remove); err != nil {
		t.Fatal(err)
	}
	if err := s.DB.InStore(s.Ctx, remove); !problem.Is(err, "not_found") {
		t.Error(err)
	}
	kept := shoptest.Value[string](t, s.Shop, `select k.kept::text from audit_kept k join audit_entries e on e.id = k.entry_id where e.action = 'page.delete'`)
	err := s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return content.Page.Restore(ctx, tx, about, json.RawMessage(kept))
	})
	if got := s.read(content.Page, about); err != nil || got != "us: About us <p>Hi</p>" {
		t.Errorf("%s, %v", got, err)
	}
	s.Exec(t, `insert into contents (id, kind, handle, title) select 'post_' || lpad(n::text, 26, '0'), 'post', n::text, '' from generate_series(1, 2000) n`)
	if _, err := s.create(content.Post, `{"title": "One more"}`); !problem.Is(err, "content_limit") {
		t.Error(err)
	}
}

func TestListsAndTranslations(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Exec(t, `update settings set locales = '[{"locale": "de", "published": true}]'`)
	picture := catalog.Picture{ID: content.NewImageID(), ContentType: "image/png", Sizes: []catalog.Size{{Width: 9, Height: 9, Key: "k.png"}}}
	if err := s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error { return content.AddImage(ctx, tx, picture, "") }); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		s.made(t, content.Post, fmt.Sprintf(`{"title": "Post %d", "excerpt": "E", "image_id": %q, "published_at": "2020-01-0%dT00:00:00.000123Z"}`, i, picture.ID, i/2+1))
	}
	s.made(t, content.Post, `{"title": "Later", "published_at": `+future+`}`)
	s.made(t, content.Post, `{"title": "Draft"}`)
	var titles []string
	for after := ""; ; {
		page, err := content.ShopList(s.Ctx, s.DB, content.Post, "https://x.example", nil, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		var list []struct {
			Title string
			Image struct{ URL string }
		}
		if err := json.Unmarshal(page.Data, &list); err != nil || list[0].Image.URL != "https://x.example/media/k.png" {
			t.Fatalf("%s, %v", page.Data, err)
		}
		for _, p := range list {
			titles = append(titles, p.Title)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if got := strings.Join(titles, ", "); got != "Post 4, Post 3, Post 2, Post 1, Post 0" {
		t.Error(got)
	}
	page, err := content.List(s.Ctx, s.DB, content.Post, "", 10)
	if err != nil || !strings.Contains(string(page.Data), `"state" : "scheduled"`) || !strings.Contains(string(page.Data), `"state" : "draft"`) {
		t.Errorf("%s, %v", page.Data, err)
	}
	id := s.made(t, content.Page, `{"title": "About", "body_html": "<p>Hi</p>", "published_at": `+past+`}`)
	title, body := "Über uns", "<p>Hallo</p>"
	if err := s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return translations.Write(ctx, tx, "de", []translations.Change{{ID: id, Texts: map[string]*string{"title": &title, "body_html": &body}}})
	}); err != nil {
		t.Fatal(err)
	}
	if got := s.read(content.Page, "about", "de"); got != "about: Über uns <p>Hallo</p>" {
		t.Error(got)
	}
	if raw, err := content.Handles(s.Ctx, s.DB); err != nil || strings.Count(string(raw), "handle") != 6 {
		t.Errorf("%s, %v", raw, err)
	}
	if o, err := content.Read(s.Ctx, s.DB, content.Page, id); err != nil || !strings.Contains(string(o.Data), `"purpose" : null`) {
		t.Errorf("%s, %v", o.Data, err)
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	s := open(t)
	do := func(change func(context.Context, *postgres.Tx) error) error { return s.DB.InStore(s.Ctx, change) }
	picture := catalog.Picture{ID: content.NewImageID(), ContentType: "image/png", Bytes: 9, Sizes: []catalog.Size{{Width: 160, Height: 90, Key: "a.png"}, {Width: 480, Height: 270, Key: "b.png"}}}
	add := func(ctx context.Context, tx *postgres.Tx) error {
		return content.AddImage(ctx, tx, picture, " The logo ")
	}
	if err := do(add); err != nil {
		t.Fatal(err)
	}
	o, err := content.Image(s.Ctx, s.DB, "https://x.example", string(picture.ID))
	if err != nil || !strings.Contains(string(o.Data), `"url": "https://x.example/media/b.png"`) || !strings.Contains(string(o.Data), `"alt": "The logo"`) {
		t.Errorf("%s, %v", o.Data, err)
	}
	remove := func(ctx context.Context, tx *postgres.Tx) error { return content.DeleteImage(ctx, tx, picture.ID) }
	for use, away := range map[string]string{
		`update settings set theme_draft = jsonb_build_object('logo_image_id', $1::text)`:                                `update settings set theme_draft = null where $1 <> ''`,
		`update settings set theme = theme || jsonb_build_object('design', $1::text)`:                                    `update settings set theme = theme - 'design' where $1 <> ''`,
		`insert into contents (id, kind, handle, title, image_id) values ('p', 'post', 'p', '', $1)`:                     `delete from contents where $1 <> ''`,
		`insert into contents (id, kind, handle, title, body) values ('p', 'post', 'p', '', '<img src="' || $1 || '">')`: `delete from contents where $1 <> ''`,
	} {
		s.Exec(t, use, string(picture.ID))
		if err := do(remove); !problem.Is(err, "image_in_use") {
			t.Errorf("%s: %v", use, err)
		}
		s.Exec(t, away, string(picture.ID))
	}
	alt, same := "Another", "Another"
	for _, text := range []*string{&alt, &same, nil} {
		if err := do(func(ctx context.Context, tx *postgres.Tx) error {
			return content.UpdateImage(ctx, tx, picture.ID, text)
		}); err != nil {
			t.Fatal(err)
		}
	}
	long := strings.Repeat("x", 513)
	if err := do(func(ctx context.Context, tx *postgres.Tx) error {
		return content.UpdateImage(ctx, tx, picture.ID, &long)
	}); !problem.Is(err, "image_invalid") {
		t.Error(err)
	}
	if err := do(remove); err != nil {
		t.Fatal(err)
	}
	if err := do(remove); !problem.Is(err, "not_found") {
		t.Error(err)
	}
	kept := shoptest.Value[string](t, s.Shop, `select k.kept::text from audit_kept k join audit_entries e on e.id = k.entry_id where e.action = 'content_image.delete'`)
	if err := do(func(ctx context.Context, tx *postgres.Tx) error {
		return content.RestoreImage(ctx, tx, string(picture.ID), json.RawMessage(kept))
	}); err != nil {
		t.Fatal(err)
	}
	if page, err := content.Images(s.Ctx, s.DB, "", "", 10); err != nil || !strings.Contains(string(page.Data), alt) {
		t.Errorf("%s, %v", page.Data, err)
	}
	s.Exec(t, `insert into images (id, position, sizes) select 'cimg_' || lpad(n::text, 26, '0'), 0, '[]' from generate_series(1, 499) n`)
	picture.ID = content.NewImageID()
	if err := do(add); !problem.Is(err, "image_limit") {
		t.Error(err)
	}
}
