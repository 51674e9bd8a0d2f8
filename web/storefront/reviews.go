package storefront

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/reviews"
	"github.com/stoacommerce/stoa/platform/ids"
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
	f, c, err := v.signedForm()
	if c == nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := reviews.Write(ctx, tx, c.ID, v.r.PathValue("handle"), v.locale, reviewFrom(f))
		return err
	})
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return v.showReviews(http.StatusUnprocessableEntity, f)
	}
	if problem.Is(err, "review_exists") {
		v.message(http.StatusConflict, "You have written a review of this already", "You can change it in your account.", false)
		return nil
	}
	if err != nil {
		return err
	}
	v.message(http.StatusOK, "Thank you for your review", "The shop looks at it before others see it.", false)
	return nil
}

// reviewFrom reads a review of the form. A rating that is no number is refused as one that is
// none of those there are.
func reviewFrom(f page.Form) reviews.Input {
	rating, _ := strconv.Atoi(f.Value("rating"))
	title, body, author := f.Value("title"), f.Value("body"), f.Value("author")
	return reviews.Input{Rating: &rating, Title: &title, Body: &body, Author: &author}
}

// ownReview is a shopper's own review, in the contract's form.
type ownReview struct {
	review
	ID            string        `json:"id"`
	State         reviews.State `json:"state"`
	ProductTitle  string        `json:"product_title"`
	ProductHandle string        `json:"product_handle"` // empty of what the shop does not show any more
}

// ownReviewsView is what a shopper has written.
type ownReviewsView struct {
	*view
	Reviews []ownReview
	Next    string
	Told    string
}

// standing says who sees a review, in the shopper's words.
func (v *view) standing(s reviews.State) string {
	switch s {
	case reviews.Approved:
		return v.T("Others see it.")
	case reviews.Rejected:
		return v.T("The shop does not show it.")
	}
	return v.T("The shop looks at it before others see it.")
}

func (v *visit) ownReviews() error {
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	p := &ownReviewsView{view: v.view("", "")}
	p.Alone, p.Title = true, p.T("Your reviews")
	found, err := reviews.Mine(v.r.Context(), v.config().DB, c.ID, v.after(), reviewsPerPage)
	if err != nil {
		return err
	}
	if p.Reviews, err = decode[[]ownReview](found.Data, "reviews"); err != nil {
		return err
	}
	if found.Next != "" {
		p.Next = v.prefix + "/account/reviews?" + url.Values{"after": {found.Next}}.Encode()
	}
	if v.r.URL.Query().Has("saved") {
		p.Told = p.T("Your review is changed. The shop looks at it before others see it.")
	}
	return page.Personal(v.w, v.r, http.StatusOK, ownReviews(p))
}

// ownReviewView is the form for a review that the shopper has written.
type ownReviewView struct {
	formView
	Review ownReview
}

func (v *visit) reviewForm() error {
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	return v.showReview(c.ID, http.StatusOK, page.Form{})
}

// showReview shows the form as it was sent, or as the review is.
func (v *visit) showReview(customerID string, status int, f page.Form) error {
	id := v.r.PathValue("review")
	if !ids.Valid("rev", id) {
		return problem.Missing("review")
	}
	found, err := reviews.Of(v.r.Context(), v.config().DB, id, customerID)
	if err != nil {
		return err
	}
	p := &ownReviewView{}
	if p.Review, err = decode[ownReview](found.Data, "review"); err != nil {
		return err
	}
	if f.Values == nil {
		f.Values = url.Values{"rating": {strconv.Itoa(p.Review.Rating)}, "title": {p.Review.Title}, "body": {p.Review.Body}, "author": {p.Review.Author}}
	}
	p.formView = v.accountForm("Your review", f)
	return page.Personal(v.w, v.r, status, ownReviewForm(p))
}

func (v *visit) changeReview() error {
	f, c, err := v.signedForm()
	if c == nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return reviews.Change(ctx, tx, v.r.PathValue("review"), c.ID, reviewFrom(f), 0)
	})
	if p := problem.As(err); p != nil && len(p.Faults) > 0 {
		v.addFaults(f, p)
		return v.showReview(c.ID, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	v.see("/account/reviews?saved")
	return nil
}

func (v *visit) deleteReview() error {
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return reviews.Delete(ctx, tx, v.r.PathValue("review"), c.ID, 0)
	})
	if err != nil {
		return err
	}
	v.see("/account/reviews")
	return nil
}
