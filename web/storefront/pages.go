package storefront

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// entry is a page of the merchant's, or a post of the blog.
type entry struct {
	ID             string    `json:"id"`
	Handle         string    `json:"handle"`
	Title          string    `json:"title"`
	Body           string    `json:"body_html"`
	Excerpt        string    `json:"excerpt"`
	Author         string    `json:"author"`
	Image          *picture  `json:"image"`
	SEOTitle       string    `json:"seo_title"`
	SEODescription string    `json:"seo_description"`
	PublishedAt    time.Time `json:"published_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// entryView is one of them.
type entryView struct {
	*view
	entry
	Post bool
}

// blogView is a page of the blog.
type blogView struct {
	*view
	Posts []entry
	Next  string // the address of the next page
	Later bool
}

const postsPerPage = 12

// pageOf is a page of the merchant's.
func (v *visit) pageOf() error { return v.entryOf(content.Page, "/pages/") }

// post is one of the blog's.
func (v *visit) post() error { return v.entryOf(content.Post, "/blog/") }

func (v *visit) entryOf(kind content.Kind, folder string) error {
	handle := v.r.PathValue("handle")
	if !readable(handle) {
		return problem.Missing(string(kind))
	}
	if !v.enters() { // so it is one that the law asks for
		e, err := v.readEntry(v.r.Context(), kind, v.chain, handle)
		if err != nil {
			return err
		}
		e.Alone = true
		return page.Personal(v.w, v.r, http.StatusOK, entryPage(e))
	}
	err := v.shared(folder+handle, nil, func(ctx context.Context) (*page.Rendered, error) {
		e, err := v.readEntry(ctx, kind, readerOf(ctx).locales, handle)
		if err != nil {
			return nil, err
		}
		e.view.Path, e.view.Image = folder+url.PathEscape(e.Handle), e.entry.Image
		return page.Render(ctx, entryPage(e))
	})
	if !problem.Is(err, "not_found") {
		return err
	}
	now, err := content.Moved(v.r.Context(), v.config().DB, kind, handle)
	if err != nil {
		return err
	}
	return v.moved(folder + now)
}

// readEntry reads an entry and begins its page.
func (v *visit) readEntry(ctx context.Context, kind content.Kind, locales []string, handle string) (*entryView, error) {
	o, err := content.ShopOne(ctx, v.config().DB, kind, "", locales, handle)
	if err != nil {
		return nil, err
	}
	e := &entryView{view: v.view("", ""), Post: kind == content.Post}
	if e.entry, err = decode[entry](o.Data, string(kind)); err != nil {
		return nil, err
	}
	e.view.Title, e.view.Description, e.Feed = e.entry.Title, e.SEODescription, e.Post
	if e.SEOTitle != "" {
		e.view.Title = e.SEOTitle
	}
	if e.view.Description == "" {
		e.view.Description = e.summary(160)
	}
	return e, nil
}

// summary is what a list says of an entry.
func (e *entry) summary(most int) string {
	if e.Excerpt != "" {
		return shorten(e.Excerpt, most)
	}
	return shorten(stripTags(e.Body), most)
}

// blog are the posts, the latest first.
func (v *visit) blog() error {
	after := v.r.URL.Query().Get("after")
	_, id, _ := strings.Cut(after, ":")
	if !ids.Valid("post", id) || len(after) > 100 || !utf8.ValidString(after) || strings.TrimLeftFunc(strings.TrimSuffix(after, ":"+id), unicode.IsDigit) != "" {
		after = ""
	}
	query := url.Values{}
	if after != "" {
		query.Set("after", after)
	}
	return v.shared("/blog", query, func(ctx context.Context) (*page.Rendered, error) {
		b := &blogView{view: v.view(v.view("", "").T("Blog"), "/blog"), Later: after != ""}
		b.Alone, b.Feed = b.Later, true
		p, err := content.ShopList(ctx, v.config().DB, content.Post, "", readerOf(ctx).locales, after, postsPerPage)
		if err != nil {
			return nil, err
		}
		if b.Posts, err = decode[[]entry](p.Data, "posts"); err != nil {
			return nil, err
		}
		if p.Next != "" {
			b.Next = b.in("/blog", url.Values{"after": {p.Next}})
		}
		return page.Render(ctx, blog(b))
	})
}
