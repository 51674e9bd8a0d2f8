package storefront

import (
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/web/page"
)

// formView is a form on a page, with what its fields hold and what is wrong with them.
type formView struct {
	*view
	Form      page.Form
	Countries []page.Country // to choose from
}

// fieldNames are what fields are called, and fieldOrder is their order on a page.
var fieldNames, fieldOrder = func() (map[string]string, []string) {
	names, order := map[string]string{"email": "E-mail", "password": "Password", "note": "A note to the shop", "method": "Shipping", "number": "Order number", "order_number": "Order number", "message": "Message", "rating": "Rating", "title": "Title", "body": "What you think", "author": "Your name, as others see it"}, []string{"email", "order_number", "message", "rating", "title", "body", "author"}
	for _, prefix := range []string{"", "billing_", addressPrefix} {
		for _, f := range []struct{ field, name string }{
			{"name", "Name"}, {"country", "Country"}, {"company", "Company"}, {"line1", "Street and number"}, {"line2", "Apartment, floor"},
			{"postal_code", "Postal code"}, {"city", "City"}, {"region", "State or province"}, {"phone", "Phone"},
			{"tax_id", "VAT number"},
		} {
			names[prefix+f.field] = f.name
			order = append(order, prefix+f.field)
		}
	}
	return names, append(order, "password", "note", "method")
}()

// testTokens are what the test provider can be told to do.
var testTokens = []struct{ Token, Name, What string }{
	{payments.TokenSucceeds, "A card that works", "The payment succeeds."},
	{payments.TokenDeclined, "A card that is declined", "The order is not placed, and you can try again."},
	{payments.TokenInsufficientFunds, "A card without enough money", "Declined, for want of funds."},
	{payments.TokenSlow, "A slow bank", "The payment succeeds after two seconds."},
	{payments.TokenRequiresAction, "A card that asks back", "You confirm the payment on a page of its own."},
	{payments.TokenSucceedsLate, "A payment that takes its time", "The order comes when the payment has arrived."},
	{payments.TokenError, "A provider that does not answer", "Nothing is charged, and you can try again."},
}

// optionName is a way to pay as shoppers read it.
func (v *view) optionName(o paymentOption) string {
	if o.Provider == payments.StripeName {
		return v.T("Card and more")
	}
	return o.Name
}

// optionText says what happens with a way to pay.
func (v *view) optionText(o paymentOption) string {
	if o.Provider == payments.StripeName {
		return v.T("You pay on a page of our payment provider.")
	}
	return v.T("You are told how to pay when the order is placed.")
}

func (p *checkoutView) contactTitle() string {
	if p.Cart.RequiresShipping() {
		return p.T("Contact and address")
	}
	return p.T("Contact")
}

func (p *checkoutView) paymentNumber() int {
	if p.Cart.RequiresShipping() {
		return 3
	}
	return 2
}

// chosenCountry is the one that the form holds; the shop's own to begin with.
func (f formView) chosenCountry(prefix string) string {
	if _, given := f.Form.Values[prefix+"country"]; given {
		return f.Form.Value(prefix + "country")
	}
	return f.settings.Country
}

// taxLine is what the total holds.
func (p *checkoutView) taxLine() string {
	if p.Cart.Totals.Tax.IsZero() {
		return p.T("No tax is due.")
	}
	names := []string{}
	for _, tax := range p.Cart.Totals.Taxes {
		if !tax.Amount.IsZero() && !slices.Contains(names, tax.Name) {
			names = append(names, tax.Name)
		}
	}
	return p.T("%s of %s is part of the total.", p.money(p.Cart.Totals.Tax), strings.Join(names, ", "))
}

// taxName is what a tax is called in a sum, with why there is none of it; empty where that
// is nothing to tell.
func (v *view) taxName(name string, reason pricing.Reason, amount money.Money) string {
	switch {
	case reason == pricing.ReverseCharge:
		return v.T("%s: the buyer owes it (reverse charge)", name)
	case reason == pricing.CustomerExempt:
		return v.T("%s: exempt", name)
	case amount.IsZero():
		return ""
	}
	return name
}

// postalLines are the lines of an address, with the country by its name.
func (v *view) postalLines(a *address.Address) []string {
	var lines []string
	for _, line := range []string{a.Name, a.Company, a.Line1, a.Line2, strings.TrimSpace(a.PostalCode + " " + a.City), a.Region, page.CountryName(a.Country, v.Lang)} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
