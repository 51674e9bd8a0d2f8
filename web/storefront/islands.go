package storefront

import (
	"context"
	_ "embed"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

//go:embed islands.js
var islandsJS string

//go:embed islands.css
var islandsCSS string

// script is the shop's own, the only one that its pages have.
var script = page.NewAsset("shop", ".js", "text/javascript; charset=utf-8", []byte(bare(islandsJS)))

// bare takes the lines that are comments, and indentation, out of a script.
func bare(js string) string {
	var b strings.Builder
	for line := range strings.Lines(js) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// suggested is what somebody may be about to look for, in the contract's form.
type suggested struct {
	Queries  []string `json:"queries"`
	Products []struct {
		Handle string   `json:"handle"`
		Title  string   `json:"title"`
		Image  *picture `json:"image"`
	} `json:"products"`
	Categories  []suggestedShelf `json:"categories"`
	Collections []suggestedShelf `json:"collections"`
}

type suggestedShelf struct {
	Handle string `json:"handle"`
	Name   string `json:"name"`
}

func (s suggested) empty() bool {
	return len(s.Queries)+len(s.Products)+len(s.Categories)+len(s.Collections) == 0
}

// mostSuggested is how many of each kind are suggested.
const mostSuggested = 5

// suggest answers with what somebody may be about to look for, as they type.
func (v *visit) suggest() error {
	words := v.asked()
	if words == "" {
		return problem.Missing("page")
	}
	query := url.Values{"q": {words}}
	return v.shared("/search/suggestions", query, func(ctx context.Context) (*page.Rendered, error) {
		raw, err := catalog.Suggest(ctx, v.config().DB, v.config().Speller, words, "", mostSuggested, readerOf(ctx).locales)
		if err != nil {
			return nil, err
		}
		found, err := decode[suggested](raw, "suggestions")
		if err != nil {
			return nil, err
		}
		view := v.view("", "")
		view.Query = words
		return page.Render(ctx, suggestions(view, found))
	})
}

// cartCount answers with how many things the browser's cart holds, which is no part of the pages
// that show it: those are the same for all.
func (v *visit) cartCount() error {
	n := int64(0)
	if ref, held := v.held(cartCookie); held {
		c, err := v.config().Carts.Read(v.r.Context(), ref)
		if err != nil && !problem.Is(err, "not_found") {
			return err
		}
		n = pieces(c)
	}
	v.w.Header().Set("Cache-Control", "no-store")
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write([]byte(strconv.FormatInt(n, 10))) // a client that left cannot be told
	return nil
}

// pieces is how many things an open cart holds.
func pieces(c *cart.Cart) int64 {
	n := int64(0)
	if c != nil && c.State != cart.Completed {
		for _, line := range c.Lines {
			n += line.Quantity
		}
	}
	return n
}
