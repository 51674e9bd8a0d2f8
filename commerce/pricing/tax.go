package pricing

import (
	"fmt"

	"github.com/stoacommerce/stoa/platform/money"
)

// Reason is why a line bears the tax that it bears.
type Reason string

// The reasons.
const (
	Taxed          Reason = "taxed"           // by the rate that holds where it goes
	ZeroRated      Reason = "zero_rated"      // by a rate of nothing
	ProductExempt  Reason = "product_exempt"  // the goods are not taxed
	CustomerExempt Reason = "customer_exempt" // who buys is not taxed
	ReverseCharge  Reason = "reverse_charge"  // who buys owes the tax
	NotCollecting  Reason = "not_collecting"  // the shop has no rate for where it goes
	TaxService     Reason = "tax_service"     // a service of the shop's said so
)

// Tax is a tax that a line falls under, or the reason why it falls under none.
type Tax struct {
	Name         string // empty where none is collected
	Jurisdiction string // whose it is: a country, or a part of one
	Rate         money.Rate
	Reason       Reason
}

// TaxAmount is what a tax comes to. Its JSON is that of the contract, and is kept with
// orders as it is.
type TaxAmount struct {
	Name         string      `json:"name"`
	Jurisdiction string      `json:"jurisdiction"`
	Percentage   string      `json:"percentage"`
	Taxable      money.Money `json:"taxable_amount"` // without tax
	Amount       money.Money `json:"amount"`
	Reason       Reason      `json:"reason"`
}

// levy computes the taxes of an amount. Where it contains them, they are found as one and
// shared out by their rates, so that what is left is the same however many share it; where
// they come on top, each is rounded by itself, as each is another's to collect.
func levy(amount money.Money, taxes []Tax, included bool) (levied []TaxAmount, total money.Money, err error) {
	levied = make([]TaxAmount, len(taxes))
	rates := make([]int64, len(taxes))
	var whole money.Rate
	for i, tax := range taxes {
		if err := tax.Rate.Validate(); err != nil {
			return nil, total, fmt.Errorf("%w: %w", errImpossible, err)
		}
		rates[i] = int64(tax.Rate)
		whole += tax.Rate
		levied[i] = TaxAmount{tax.Name, tax.Jurisdiction, tax.Rate.Percent(), amount, money.Zero(amount.Currency), tax.Reason}
	}
	total = money.Zero(amount.Currency)
	if whole == 0 {
		return levied, total, nil
	}
	if !included {
		sum := sum{total: total}
		for i, tax := range taxes {
			if levied[i].Amount, err = tax.Rate.TaxOnNet(amount); err != nil {
				return nil, total, err
			}
			sum.add(levied[i].Amount)
		}
		return levied, sum.total, sum.err
	}
	if total, err = whole.TaxInGross(amount); err != nil {
		return nil, total, err
	}
	shares, err := total.Allocate(rates...)
	if err != nil {
		return nil, total, err
	}
	net, err := amount.Sub(total)
	for i := range levied {
		levied[i].Taxable, levied[i].Amount = net, shares[i]
	}
	return levied, total, err
}

// Net is a price without the taxes that it contains.
func Net(price money.Money, taxes []Tax) (money.Money, error) {
	_, tax, err := levy(price, taxes, true)
	if err != nil {
		return money.Money{}, err
	}
	return price.Sub(tax)
}

// summary adds up the taxes of lines: those of one name, place, rate and reason are one, in
// the order in which they come first. Reasons without a tax are not among them.
func summary(lines []LineTotal) ([]TaxAmount, error) {
	type kind struct {
		name, jurisdiction, percentage string
		reason                         Reason
	}
	taxes, at := []TaxAmount{}, map[kind]int{}
	for _, line := range lines {
		for _, tax := range line.Taxes {
			kind := kind{tax.Name, tax.Jurisdiction, tax.Percentage, tax.Reason}
			i, known := at[kind]
			switch {
			case tax.Name == "" || line.Total.IsZero():
			case !known:
				at[kind] = len(taxes)
				taxes = append(taxes, tax)
			default:
				taxable, amount := sum{total: taxes[i].Taxable}, sum{total: taxes[i].Amount}
				taxable.add(tax.Taxable)
				amount.add(tax.Amount)
				if taxable.err != nil || amount.err != nil {
					return nil, fmt.Errorf("sum of %s: %w", tax.Name, money.ErrOverflow)
				}
				taxes[i].Taxable, taxes[i].Amount = taxable.total, amount.total
			}
		}
	}
	return taxes, nil
}
