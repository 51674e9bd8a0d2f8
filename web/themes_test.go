package web_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/themes"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// dress changes the draft of a shop's theme, and publishes it where that is wanted.
func (s *shop) dress(t testing.TB, patch string, publish bool) {
	t.Helper()
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		if err := themes.Update(ctx, tx, 0, json.RawMessage(patch)); err != nil || !publish {
			return err
		}
		return themes.Publish(ctx, tx, 0)
	})
}

// picture gives the shop a picture of its own.
func (s *shop) picture(t testing.TB, alt string) string {
	t.Helper()
	made, err := s.h.pictures.Store(s.Ctx, content.NewImageID(), dot(t))
	if err != nil {
		t.Fatal(err)
	}
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error { return content.AddImage(ctx, tx, made, alt) })
	return string(made.ID)
}

func TestSectionsOfTheHomePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.Exec(t, `insert into categories (id, path, name, handle) values ('cat_a', 'cat_a/', 'Bowls', 'bowls'), ('cat_b', 'cat_b/', 'Empty', 'empty')`)
	bowl := s.product(t, "Bowl", func(in *catalog.ProductInput) { in.CategoryID = "cat_a" })
	for range 3 {
		s.product(t, "Plate", nil)
	}
	collection, empty := ids.New("col"), ids.New("col")
	s.Exec(t, `insert into collections (id, handle, title) values ($1, 'table', 'For the table'), ($2, 'none', 'Nothing')`, collection, empty)
	s.Exec(t, `insert into collection_products (collection_id, product_id, sort_key, shown) values ($1, $2, '0', true)`, collection, string(bowl))
	customer := ids.New("cus")
	s.Exec(t, `insert into customers (id, email) values ($1, 'ada@example.com')`, customer)
	s.Exec(t, `insert into reviews (id, product_id, customer_id, rating, title, body, author, verified, state) values ($1, $2, $3, 5, 'Lovely', 'It is round.', 'Ada', true, 'approved')`, ids.New("rev"), string(bowl), customer)
	image := s.picture(t, "A kiln")
	link := fmt.Sprintf(`{"type": "collection", "resource_id": %q}`, collection)
	s.dress(t, fmt.Sprintf(`{"theme": "brand", "logo_image_id": %[1]q, "favicon_image_id": %[1]q, "announcement": {"text": "Sent free", "link": %[2]s}, "home": [
		{"id": "top", "type": "hero", "eyebrow": "Since 1921", "heading": "Round things", "text": "For every day.", "image_id": %[1]q, "layout": "cover", "button": {"link": {"type": "products"}}, "second_button": {"link": %[2]s}},
		{"id": "grid", "type": "product_grid", "heading": "Fresh", "limit": 2},
		{"id": "cheap", "type": "product_grid", "heading": "Cheap", "order": "price_ascending"},
		{"id": "table", "type": "featured_collection", "collection_id": %[3]q}, {"id": "none", "type": "featured_collection", "collection_id": %[4]q, "heading": "Never seen"},
		{"id": "one", "type": "featured_product", "product_id": %[5]q, "eyebrow": "The one"},
		{"id": "cats", "type": "category_list"},
		{"id": "beside", "type": "text_with_image", "heading": "The kiln", "body_html": "<p>Hot</p>", "image_id": %[1]q, "layout": "image_end"},
		{"id": "words", "type": "rich_text", "body_html": "<p>By <em>hand</em></p>"},
		{"id": "gallery", "type": "gallery", "pictures": [{"image_id": %[1]q, "caption": "At work", "link": {"type": "url", "url": "https://example.com/kiln"}}]},
		{"id": "asked", "type": "faq", "questions": [{"question": "Is it round?", "answer_html": "<p>Very.</p>"}]},
		{"id": "voices", "type": "testimonials"}, {"id": "mail", "type": "newsletter", "heading": "Letters"},
		{"id": "hidden", "type": "rich_text", "hidden": true, "body_html": "<p>Never seen</p>"}]}`, image, link, collection, empty, string(bowl)), true)
	b := h.visitor(t, s.label)
	b.get("/products") // by which what surrounds every page is known
	counted, count := postgres.Counting(t.Context())
	b.send(httptest.NewRequest(http.MethodGet, "https://"+b.host+"/", nil).WithContext(counted), "/").status(http.StatusOK)
	if n := count.Statements.Load(); n != 7 {
		t.Errorf("%d statements for a page with 7 sections that show what is in the shop", n)
	}
	page := b.get("/").says("Sent free", "<h1>Round things</h1>", "Since 1921", "Look around", "For the table", "Fresh", "Cheap", "The one", "Bowls", "The kiln", "<em>hand</em>", "At work", `href="https://example.com/kiln"`,
		"<summary>Is it round?</summary>", "Lovely", "5 of 5 stars", "Letters", `action="/newsletter"`, `alt="A kiln"`, `action="/cart/lines"`).
		lacks("Never seen", ">Empty <", "style=")
	if n := strings.Count(page.Body.String(), "<h1"); n != 1 {
		t.Errorf("%d headings of the first order", n)
	}
	b.get(page.find(`<link rel="icon" href="([^"]+)"`)).status(http.StatusOK)
	b.get(page.find(`class="name"[^>]*>\s*<img src="([^"]+)"`)).status(http.StatusOK)
	if size := len(page.Body.Bytes()); size > 120_000 {
		t.Errorf("the page has %d bytes", size)
	}
	s.Exec(t, `delete from collections`)
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		return themes.UpdateMenu(ctx, tx, "header", 0, json.RawMessage(`{"items": [{"id": "go", "label": "Go", "link": {"type": "url", "url": "/search"}, "items": [{"id": "all", "link": {"type": "products"}}]}]}`))
	})
	b.get("/").says(`href="/search">Go`, `href="/products">Everything`).lacks("For the table")
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		return themes.UpdateMenu(ctx, tx, "footer", 0, json.RawMessage(`{"items": [{"id": "news", "link": {"type": "newsletter"}}, {"id": "deep", "label": "Deep", "link": {"type": "home"}, "items": [{"id": "account", "link": {"type": "account"}}]}]}`))
	})
	b.get("/cart").says(`<h2 id="foot-0">Shop</h2>`, `<h2 id="foot-1">Deep</h2>`)
	// Each theme has its own head and its own stylesheet, small enough.
	sheets := map[string]bool{}
	for theme, says := range map[string]string{"boutique": `class="aisles below"`, "catalogue": `class="find"`, "brand": `<nav class="aisles"`} {
		s.dress(t, `{"theme": "`+theme+`"}`, theme != "brand")
		if theme == "brand" {
			s.dress(t, `{"dark_mode": false, "theme": "brand"}`, true)
		}
		sheet := b.get("/").says(says).find(`rel="stylesheet" href="([^"]+)"`)
		sheets[sheet] = true
		b.header.Set("Accept-Encoding", "gzip")
		if a := b.get(sheet).status(http.StatusOK); a.Body.Len() > 16_000 {
			t.Errorf("the stylesheet of %s has %d bytes", theme, a.Body.Len())
		}
		b.header.Del("Accept-Encoding")
	}
	if len(sheets) != 3 {
		t.Errorf("%d stylesheets", len(sheets))
	}
}

func TestPreviews(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Bowl", nil)
	s.Exec(t, `update settings set locales = '[{"locale": "de", "published": true}]'`)
	s.dress(t, `{"theme": "catalogue", "home": [{"id": "hero", "type": "hero", "heading": "Drafted"}]}`, false)
	link := func(until time.Time) string {
		address, err := h.links.Preview(s.Ctx, until)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(address, "https://"+s.label+"."+domain)
	}
	b := h.visitor(t, s.label)
	b.get("/").lacks("Drafted", "Preview.")
	at := link(time.Now().Add(time.Hour))
	page := b.get(at).status(http.StatusOK).says("Drafted", "Preview.", `content="noindex"`, `class="find"`)
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "ETag": "", "X-Frame-Options": ""} {
		if got := page.Header().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if policy := page.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors https://"+domain) {
		t.Error(policy)
	}
	// All of its links stay in the preview, but those to files.
	for _, href := range regexp.MustCompile(`(?:href|action)="(/[^"]*)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		if !strings.HasPrefix(href[1], at[:len(at)-1]) {
			t.Errorf("%s leads out of the preview", href[1])
		}
	}
	b.get(page.find(`rel="stylesheet" href="([^"]+)"`)).status(http.StatusOK)
	b.get(page.says(`data-editor="https://` + domain + `"`).find(`src="(/preview\.[^"]+)"`)).status(http.StatusOK)
	b.get("/").lacks("/preview.")
	b.get(at+"products/bowl").status(http.StatusOK).says("Bowl", "Preview.")
	b.get(at+"de/").status(http.StatusOK).says("Vorschau.", "Drafted")
	b.get(at + "cart").status(http.StatusOK).says("Preview.")
	b.get("/").lacks("Drafted")
	for _, wrong := range []string{link(time.Now().Add(-time.Second)), "/preview/x/", "/preview/" + strings.Repeat("a", 40) + "/", strings.Replace(at, "-", "-x", 1), strings.TrimSuffix(at, "/")} {
		b.get(wrong).status(http.StatusGone).says("This preview is over")
	}
	other := h.shop(t)
	h.visitor(t, other.label).get(at).status(http.StatusGone)
}

// writes makes a page or a post.
func (s *shop) writes(t testing.TB, kind content.Kind, fields string) {
	t.Helper()
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := content.Create(ctx, tx, kind, json.RawMessage(fields))
		return err
	})
}

func TestPagesAndTheBlog(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.writes(t, content.Page, `{"title": "Who we are", "handle": "about", "body_html": "<p>We <em>began</em> in a shed.</p>", "published_at": "2020-01-01T00:00:00Z", "seo_title": "About"}`)
	s.writes(t, content.Page, `{"title": "Imprint", "purpose": "legal_notice", "published_at": "2020-01-01T00:00:00Z"}`)
	s.writes(t, content.Page, `{"title": "Secret"}`)
	for i := range 14 {
		s.writes(t, content.Post, fmt.Sprintf(`{"title": "Post %02d", "excerpt": "In short.", "author": "Ada", "image_id": %q, "published_at": "2020-01-%02dT00:00:00Z"}`, i, s.picture(t, "Smoke"), i+1))
	}
	s.dress(t, `{"home": [{"id": "blog", "type": "blog_posts", "limit": 2}]}`, true)
	b := h.visitor(t, s.label)
	b.get("/").says("Post 13", "Post 12", `href="/pages/imprint">Imprint`).lacks("Post 11")
	b.get("/pages/about").status(http.StatusOK).says("<em>began</em>", "<title>About", `<h1>Who we are</h1>`)
	b.get("/pages/secret").status(http.StatusNotFound)
	list := b.get("/blog").says("Post 13", "Post 02", "Next page", "1 January 2020").lacks("Post 01")
	b.get(list.find(`rel="next" href="([^"]+)"`)).says("Post 01", "Post 00", "noindex").lacks("Post 02")
	b.get("/blog?after=%27x").says("Post 13")
	b.get("/blog/post-03").says("Post 03", "4 January 2020", "Ada", `alt="Smoke"`)
	b.get("/sitemap.xml").says("/pages/about<", "/blog/post-13<").lacks("secret")
	s.Exec(t, `insert into former_handles (kind, handle, object_id) select 'page', 'us', id from contents where handle = 'about'`)
	if to := b.get("/pages/us").status(http.StatusMovedPermanently).leadsTo(); to != "/pages/about" {
		t.Error(to)
	}
	b.get("/blog/%ff").status(http.StatusNotFound)
}

// What is new in the blog is told to programs, whole, and where that is stands in the head of its
// pages.
func TestTheBlogHasAFeed(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.Exec(t, `update settings set locales = '[{"locale": "de", "published": true}]'`)
	b, base := h.visitor(t, s.label), "https://"+s.label+"."+domain
	b.get("/blog/feed.xml").status(http.StatusNotFound)
	for i := range 22 {
		s.writes(t, content.Post, fmt.Sprintf(`{"title": "Post %02d & more", "handle": "post-%02d", "excerpt": "In short.", "author": "Ada", "body_html": "<p>At <em>length</em></p>", "published_at": "2020-01-%02dT00:00:00Z"}`, i, i, i+1))
	}
	s.writes(t, content.Post, `{"title": "To come", "published_at": "2999-01-01T00:00:00Z"}`)
	for _, path := range []string{"/blog", "/blog/post-03"} {
		b.get(path).says(`<link rel="alternate" type="application/atom+xml"`, `href="`+base+`/blog/feed.xml"`)
	}
	b.get("/de/blog").says(`href="` + base + `/de/blog/feed.xml"`)
	b.get("/").lacks("feed.xml")
	a := b.get("/blog/feed.xml").status(http.StatusOK)
	if kind := a.Header().Get("Content-Type"); kind != "application/atom+xml; charset=utf-8" || a.Header().Get("ETag") == "" {
		t.Errorf("%v", a.Header())
	}
	var feed struct {
		XMLName xml.Name  `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string    `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
		Updated time.Time `xml:"updated"`
		Links   []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
		Entries []struct {
			ID      string    `xml:"id"`
			Title   string    `xml:"title"`
			At      time.Time `xml:"published"`
			Author  string    `xml:"author>name"`
			Summary string    `xml:"summary"`
			Content string    `xml:"content"`
			Link    struct {
				Href string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(a.Body.Bytes(), &feed); err != nil {
		t.Fatal(err)
	}
	if len(feed.Entries) != 20 || feed.Lang != "en" || feed.Updated.IsZero() || len(feed.Links) != 2 || feed.Links[1].Href != base+"/blog/feed.xml" {
		t.Fatalf("%d posts: %+v", len(feed.Entries), feed)
	}
	first := feed.Entries[0]
	if first.Title != "Post 21 & more" || first.Content != "<p>At <em>length</em></p>" || first.Summary != "In short." || first.Author != "Ada" || first.At.Day() != 22 || first.Link.Href != base+"/blog/post-21" {
		t.Errorf("%+v", first)
	}
	if to := b.get(strings.TrimPrefix(first.ID, base)).leadsTo(); to != "/blog/post-21" && to != "" {
		t.Errorf("its name leads to %s", to)
	}
	b.get("/de/blog/feed.xml").says(`xml:lang="de"`, base+"/de/blog/post-21")
}
