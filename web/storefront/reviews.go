package storefront

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/reviews"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// review is what somebody thinks of a product, in the contract's form; see commerce/reviews.
type review struct {
	Rating    int       `json:"rating"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	Author    string    `json:"author"`
	Verified  bool      `json:"verified_purchase"`
	Reply     string    `json:"reply"`
	CreatedAt time.Time `json:"created_at"`
}

// reviewsView is what others think of a product, with the form for one's own.
type reviewsView struct {
	formView
	Product  product
	Reviews  []review
	Next     string
	SignedIn bool
}

// rated is what reviews come to, in words.
func (v *view) rated(r *rating) string {
	several := v.T("%d reviews", r.Count)
	if r.Count == 1 {
		several = v.T("One review")
	}
	return v.T("%s of 5 stars", r.Average) + " · " + several
}

// reviewsPerPage is how many reviews stand on a page.
const reviewsPerPage = 20

func (v *visit) reviewsPage() error {
	return v.showReviews(http.StatusOK, page.Form{Values: url.Values{}})
}

func (v *visit) showReviews(status int, f page.Form) error {
	handle := v.r.PathValue("handle")
	if !readable(handle) {
		return problem.Missing("product")
	}
	p := &reviewsView{formView: formView{view: v.view("", ""), Form: f}}
	p.Alone = true
	var err error
	if p.Product, err = v.shop.product(v.r.Context(), p.Currency, handle); err != nil {
		return err
	}
	p.view.Title = p.T("Reviews of %s", p.Product.Title)
	found, err := reviews.Shown(v.r.Context(), v.config().DB, p.Product.ID, v.after(), reviewsPerPage)
	if err != nil {
		return err
	}
	if p.Reviews, err = decode[[]review](found.Data, "reviews"); err != nil {
		return err
	}
	if found.Next != "" {
		p.Next = string(p.to("products", handle, "reviews")) + "?" + url.Values{"after": {found.Next}}.Encode()
	}
	var c *customers.Customer
	if c, err = v.shopper(); err != nil {
		return err
	}
	p.SignedIn = c != nil
	return page.Personal(v.w, v.r, status, reviewsPage(p))
}

func (v *visit) writeReview() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	rating, err := strconv.Atoi(f.Value("rating"))
	if err != nil {
		rating = 0 // which is refused below
	}
	title, body, author := f.Value("title"), f.Value("body"), f.Value("author")
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := reviews.Write(ctx, tx, c.ID, v.r.PathValue("handle"), v.locale, reviews.Input{Rating: &rating, Title: &title, Body: &body, Author: &author})
		return err
	})
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return v.showReviews(http.StatusUnprocessableEntity, f)
	}
	if problem.Is(err, "review_exists") {
		v.message(http.StatusConflict, "You have written a review of this already", "There is one of each customer.", false)
		return nil
	}
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Thank you for your review", "The shop looks at it before others see it.", false)
	return nil
}
