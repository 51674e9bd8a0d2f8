// Package rates asks services of the merchant's what sending a parcel costs and which taxes
// a sale falls under, where a store does not leave it to its own tables. It owns the
// services, the form of the questions, and what of an answer is believed.
package rates

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/platform/money"
)

// Carrier says what sending a parcel costs.
type Carrier interface {
	Rates(ctx context.Context, sale Sale) (CarrierRates, error)
}

// TaxService says which taxes a sale falls under.
type TaxService interface {
	Taxes(ctx context.Context, sale Sale) (Taxes, error)
}

// Kind is what a service says.
type Kind string

// The kinds of services.
const (
	CarrierKind Kind = "carrier"
	TaxKind     Kind = "tax"
)

// Sale is what a service is asked about: its JSON is the question. Nothing in it depends on
// an answer, so that asking comes to rest; that is why prices are those before discounts,
// which can depend on what sending costs. It tells nothing of who buys but where they are.
type Sale struct {
	Type             Kind   `json:"type"`
	Currency         string `json:"currency"`
	PricesIncludeTax bool   `json:"prices_include_tax"` // also those that a carrier is to give
	Origin           string `json:"origin_country"`
	Destination      Place  `json:"destination"`
	Lines            []Line `json:"lines"`
}

// Place is where something goes.
type Place struct {
	Line1      string `json:"line1"`
	Line2      string `json:"line2"`
	City       string `json:"city"`
	Region     string `json:"region"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"`
}

// Line is a number of one variant.
type Line struct {
	ID               string      `json:"id"`
	VariantID        *string     `json:"variant_id"` // nil of what is in no catalogue
	SKU              string      `json:"sku"`
	Quantity         int64       `json:"quantity"`
	UnitPrice        money.Money `json:"unit_price"`
	WeightGrams      int64       `json:"weight_grams"` // of one
	RequiresShipping bool        `json:"requires_shipping"`
	Taxable          bool        `json:"taxable"`
	TaxClass         string      `json:"tax_class"`
}

// Digest tells one question from another.
func (s Sale) Digest() string {
	raw, _ := json.Marshal(s) // texts and numbers only
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// CarrierRates are a carrier's answer: all that it offers for the parcel. Its JSON is the
// contract's, as that of Taxes is.
type CarrierRates struct {
	Rates []Rate `json:"rates"`
}

// Rate is one way in which a carrier sends a parcel.
type Rate struct {
	Code     string      `json:"code"` // by which a shipping method names it
	Price    money.Money `json:"price"`
	Estimate string      `json:"delivery_estimate"`
}

// Taxes are a tax service's answer: those of each line and those of shipping. A line
// without any bears none.
type Taxes struct {
	Lines    []LineTaxes `json:"lines"`
	Shipping []Tax       `json:"shipping"`
}

// LineTaxes are the taxes of a line.
type LineTaxes struct {
	ID    string `json:"id"`
	Taxes []Tax  `json:"taxes"`
}

// Tax is a tax, none on top of another.
type Tax struct {
	Name         string `json:"name"`
	Jurisdiction string `json:"jurisdiction"`
	Percentage   string `json:"percentage"`
}

// Rate is the percentage as a number.
func (t Tax) Rate() (money.Rate, error) { return money.ParsePercent(t.Percentage) }

// The bounds of an answer.
const (
	mostRates  = 100
	mostTaxes  = 10
	mostAmount = 999_999_999_999
)

// errAnswer is why an answer is not believed; its text is the merchant's to read.
type errAnswer string

func (e errAnswer) Error() string { return string(e) }

// check refuses an answer that is not one to the question.
func (r CarrierRates) check(sale Sale) error {
	if len(r.Rates) > mostRates {
		return errAnswer(fmt.Sprintf("The answer has more than %d rates.", mostRates))
	}
	seen := map[string]bool{}
	for i, rate := range r.Rates {
		switch {
		case !text(rate.Code, 1, 64) || seen[rate.Code]:
			return errAnswer(fmt.Sprintf("/rates/%d/code is not a code of its own.", i))
		case rate.Price.Currency != sale.Currency:
			return errAnswer(fmt.Sprintf("/rates/%d/price is not in %s.", i, sale.Currency))
		case rate.Price.Amount < 0 || rate.Price.Amount > mostAmount:
			return errAnswer(fmt.Sprintf("/rates/%d/price is out of range.", i))
		case !text(rate.Estimate, 0, 255):
			return errAnswer(fmt.Sprintf("/rates/%d/delivery_estimate is not a line of text.", i))
		}
		seen[rate.Code] = true
	}
	return nil
}

// check refuses an answer that does not say of each line, once, which taxes it bears.
func (t Taxes) check(sale Sale) error {
	left := map[string]bool{}
	for _, line := range sale.Lines {
		left[line.ID] = true
	}
	for i, line := range t.Lines {
		if !left[line.ID] {
			return errAnswer(fmt.Sprintf("/lines/%d is not one that was asked for, or is there twice.", i))
		}
		delete(left, line.ID)
		if err := believable(line.Taxes, fmt.Sprintf("/lines/%d/taxes", i)); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		return errAnswer("/lines does not have all lines that were asked for.")
	}
	return believable(t.Shipping, "/shipping")
}

func believable(taxes []Tax, at string) error {
	if len(taxes) > mostTaxes {
		return errAnswer(fmt.Sprintf("%s has more than %d taxes.", at, mostTaxes))
	}
	for i, tax := range taxes {
		rate, err := tax.Rate()
		switch {
		case !text(tax.Name, 1, 255) || !text(tax.Jurisdiction, 1, 64):
			return errAnswer(fmt.Sprintf("%s/%d needs a name and a jurisdiction.", at, i))
		case err != nil || rate < 0 || rate > money.BasisPoints(10_000):
			return errAnswer(fmt.Sprintf("%s/%d/percentage is not 0 to 100 with up to four decimals.", at, i))
		}
	}
	return nil
}

// text says whether s is one line of so many characters.
func text(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return n >= least && n <= most && utf8.ValidString(s)
}

// Answer is what a service said of a sale, as a cart keeps it.
type Answer struct {
	Digest string       `json:"digest"` // of the question
	At     time.Time    `json:"at"`
	Failed bool         `json:"failed"` // it said nothing of use: the store's tables count
	Rates  CarrierRates `json:"rates"`
	Taxes  Taxes        `json:"taxes"`
}

// Rate is the rate of a code, if the carrier offers it.
func (a Answer) Rate(code string) (Rate, bool) {
	for _, rate := range a.Rates.Rates {
		if rate.Code == code {
			return rate, true
		}
	}
	return Rate{}, false
}

// Line are the taxes of a line.
func (a Answer) Line(id string) []Tax {
	for _, line := range a.Taxes.Lines {
		if line.ID == id {
			return line.Taxes
		}
	}
	return nil
}

// quote asks a carrier and takes what can be believed of its answer.
func quote(ctx context.Context, by Carrier, sale Sale) (a Answer, err error) {
	if a.Rates, err = by.Rates(ctx, sale); err == nil {
		err = a.Rates.check(sale)
	}
	return a, err
}

// assess asks a tax service and takes what can be believed of its answer.
func assess(ctx context.Context, by TaxService, sale Sale) (a Answer, err error) {
	if a.Taxes, err = by.Taxes(ctx, sale); err == nil {
		err = a.Taxes.check(sale)
	}
	return a, err
}
