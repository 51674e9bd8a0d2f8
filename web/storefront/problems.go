package storefront

import (
	"strings"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/platform/problem"
)

// guessable is said of passwords that are long enough and bad.
const guessable = "This password is easily guessed. Please choose another."

// said are a shopper's words for codes of problems, where the service's own text speaks
// to programs or is needed in another language.
var said = map[string]string{
	"out_of_stock":                 "There are not that many left.",
	"variant_unavailable":          "This is not for sale at the moment.",
	"unavailable":                  "This is not for sale at the moment.",
	"quantity_out_of_range":        "Please choose a quantity from 1 to 9999.",
	"range":                        "Please choose a quantity from 1 to 9999.",
	"too_many_lines":               "The cart is full.",
	"agreed":                       "This was agreed with the shop. Please write to the shop if it is to be changed.",
	"cart_completed":               "This cart has become an order already.",
	"completion_in_progress":       "This cart is being paid for right now.",
	"conflict":                     "The cart was changed at the same moment. Please try again.",
	"not_found":                    "This is not in the cart any more.",
	"currency_not_sold":            "This is not sold in that currency.",
	"payment_declined":             "The payment was declined. Nothing was charged; please try another means of payment.",
	"payment_provider_unavailable": "The payment provider does not answer. Nothing was charged; please try again.",
	"payment_abandoned":            "The payment was given up. Nothing was charged; please try again.",
	"provider_off":                 "This way to pay is not offered any more. Please choose another.",
	"total_changed":                "The total has changed since you last saw it. Please look at it again before you pay.",
	"due_changed":                  "What is left to pay has changed since you last saw it. Please look at it again before you pay.",
	"orders_not_accepted":          "This shop does not take orders yet.",
	"cart_incomplete":              "Something is still missing. Please look through the steps again.",
	"test_provider_refused":        "Real orders are not paid for with test payments.",
	"payment_pending":              "It is not known yet whether the payment went through. Nothing is charged twice.",
	"code_invalid":                 "This code is not valid. Please look whether it is written right.",
	"promotion_used_up":            "A discount was used up a moment ago. Nothing was charged; please look at the total again.",
	"rate_limited":                 "There were too many attempts from your network. Please wait a little and try again.",

	// Why something does not go back.
	"quantity_exceeded": "There are not that many that can go back.",

	// Why somebody is not erased yet.
	"orders_open":       "An order is still under way.",
	"returns_open":      "A return is still under way.",
	"payment_under_way": "A payment is under way. Please try again in a few minutes.",
	"refund_under_way":  "You are being paid back. Please try again in a few days.",
	"store_credit_left": "You have store credit. Please spend it, or ask the shop to pay it out.",
	"import_under_way":  "The shop is taking in a list of customers. Please try again in a few minutes.",

	// Why a code has no effect.
	"minimum_not_reached": "There is not enough in the cart for this code yet.",
	"not_for_these_items": "This code is not for what is in the cart.",
	"not_for_you":         "This code is not for this purchase.",
	"better_discount":     "Another discount saves you more, and the two do not go together.",
	"not_available":       "This code is used up or has ended.",

	// Faults of fields.
	"required":             "Please fill this in.",
	"email":                "This does not look like an e-mail address.",
	"rating":               "Please choose a rating.",
	"unchanged":            "This is your address already.",
	"invalid_credentials":  "This is not your password.",
	"country":              "Please choose a country.",
	"postal_code":          "Postal codes of this country look different.",
	"shipping_unavailable": "This way of sending does not serve your address.",
	"maxLength":            "This is too long.",
	"too_short":            "Please choose a longer password: at least 15 characters.",
	"too_long":             "This password is too long.",
	"repeated":             guessable,
	"personal":             guessable,
	"common":               guessable,
	"predictable":          guessable,
}

// refusal is what a shopper is told of a problem. In English, details that name things
// and numbers come first.
func (v *view) refusal(p *problem.Problem) string {
	if p.Code == "out_of_stock" && v.english() {
		return p.Detail
	}
	if p.Code == "invalid_cart" && len(p.Faults) > 0 {
		return v.fault(p.Faults[0].Code, p.Faults[0].Detail)
	}
	return v.fault(p.Code, p.Detail)
}

// fault is a shopper's text for a code, or the detail where there is none.
func (v *view) fault(code, detail string) string {
	if text := said[code]; text != "" {
		return v.T(text)
	}
	return detail
}

// lineProblem is what stands in a line's way, or nothing.
func (v *view) lineProblem(c *cart.Cart, lineID string) string {
	for _, p := range c.Problems {
		if p.LineID != lineID {
			continue
		}
		if v.english() {
			return p.Detail
		}
		return v.fault(p.Code, p.Detail)
	}
	return ""
}

func (w words) english() bool { return w.Lang == "en" || strings.HasPrefix(w.Lang, "en-") }

// blocked says whether something in the cart cannot be bought as it is.
func blocked(c *cart.Cart) bool {
	for _, p := range c.Problems {
		if p.Code == cart.OutOfStock || p.Code == cart.Unavailable {
			return true
		}
	}
	return false
}
