package storefront

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"time"

	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// feedPath is where the blog's feed lies. No post has the handle, for it has a dot.
const feedPath = "/blog/feed.xml"

// inFeed is how many posts the feed tells of.
const inFeed = 20

// atom is a feed as RFC 4287 has it.
type atom struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string      `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Base    string      `xml:"http://www.w3.org/XML/1998/namespace base,attr"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Links   []atomLink  `xml:"link"`
	Author  string      `xml:"author>name"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel     string `xml:"rel,attr"`
	Type    string `xml:"type,attr"`
	Address string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string    `xml:"id"`
	Title     string    `xml:"title"`
	Link      atomLink  `xml:"link"`
	Published string    `xml:"published"`
	Updated   string    `xml:"updated"`
	Author    *atomName `xml:"author,omitempty"`
	Summary   string    `xml:"summary,omitempty"`
	Content   atomText  `xml:"content"`
}

type atomName struct {
	Name string `xml:"name"`
}

type atomText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// feed tells programs of the latest posts; a shop that has none has no feed.
func (v *visit) feed() error {
	asset, err := v.shop.sitemaps.Get(v.r.Context(), v.edition()+"\x00feed\x00"+v.locale, func(ctx context.Context) (*page.Asset, error) {
		found, err := content.ShopFeed(ctx, v.config().DB, content.Post, "", v.chain, inFeed)
		if err != nil {
			return nil, err
		}
		posts, err := decode[[]entry](found.Data, "posts")
		if err != nil {
			return nil, err
		}
		if len(posts) == 0 {
			return nil, problem.Missing("page")
		}
		body, err := xml.Marshal(v.atom(posts))
		if err != nil {
			return nil, fmt.Errorf("write a feed: %w", err)
		}
		return page.NewAsset("feed", ".xml", "application/atom+xml; charset=utf-8", append([]byte(xml.Header), body...)), nil
	})
	if err != nil {
		return err
	}
	asset.ServeHTTP(v.w, v.r)
	return nil
}

// atom is the feed of posts. An entry is named by its post's ID, which no change of a title changes.
func (v *visit) atom(posts []entry) atom {
	view, blog := v.view("", ""), v.base()+v.prefix+"/blog"
	f := atom{
		Lang: view.Lang, Base: v.base(), ID: blog, Title: v.settings.Name + " – " + view.T("Blog"), Author: v.settings.Name,
		Links: []atomLink{{"alternate", "text/html", blog}, {"self", "application/atom+xml", v.base() + v.prefix + feedPath}},
	}
	var latest time.Time
	for _, p := range posts {
		e := atomEntry{
			ID: v.base() + "/blog/" + p.ID, Title: p.Title, Link: atomLink{"alternate", "text/html", blog + "/" + url.PathEscape(p.Handle)},
			Published: p.PublishedAt.Format(time.RFC3339), Updated: p.UpdatedAt.Format(time.RFC3339), Summary: p.Excerpt, Content: atomText{"html", p.Body},
		}
		if p.Author != "" {
			e.Author = &atomName{p.Author}
		}
		if p.UpdatedAt.After(latest) {
			latest = p.UpdatedAt
		}
		f.Entries = append(f.Entries, e)
	}
	f.Updated = latest.Format(time.RFC3339)
	return f
}
