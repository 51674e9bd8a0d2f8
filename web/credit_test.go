package web_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// A shopper gives a gift card where discount codes are given, uses store credit at the
// checkout, and is told what is left to pay.
func TestAShopperPaysWithCredit(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	b := s.customer(t)
	var code string
	err := h.db.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		cards, err := credit.IssueCards(ctx, tx, credit.Issue{Amount: money.New(1000, "EUR")}, 1)
		if err != nil {
			return err
		}
		code = cards[0].Code
		var customer string
		if err := tx.QueryRow(ctx, `select id from customers`).Scan(&customer); err != nil {
			return err
		}
		_, err = credit.AdjustStoreCredit(ctx, tx, customer, credit.Adjustment{Amount: money.New(5000, "EUR"), Reason: "x"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.put("/products/linen-shirt", "1")
	b.post("/cart/codes", url.Values{"code": {"ABCD-ABCD-ABCD-ABCD"}}).status(http.StatusUnprocessableEntity).says("This code is not valid.")
	given := b.follow("/cart/codes", url.Values{"code": {code}}).says("Gift card •••• "+code[15:], "€10.00")
	b.follow("/cart/gift-cards/remove", url.Values{"card": {given.find(`name="card" value="([^"]+)"`)}}).lacks(code[15:])
	b.follow("/cart/codes", url.Values{"code": {code}}).says("Gift card •••• " + code[15:])

	b.toPayment().says("Left to pay", "Pay €19.90 now", "You have €50.00 of store credit.")
	used := b.follow("/checkout/store-credit", url.Values{"use": {"yes"}}).says("You pay €19.90 with your store credit.", "Place the order").lacks("Pay €")
	b.follow("/checkout/store-credit", url.Values{}).says("Pay €19.90 now")
	b.pay(used, "").status(http.StatusSeeOther) // which was given up meanwhile
	b.get("/checkout?problem=due_changed").says("What is left to pay has changed")
	used = b.follow("/checkout/store-credit", url.Values{"use": {"yes"}}).says("Place the order")
	b.get(b.pay(used, "").status(http.StatusSeeOther).leadsTo()).status(http.StatusOK).says("Linen shirt", "Gift cards and store credit", "−€29.90")
	if got := shoptest.Value[string](t, s.Shop, `select string_agg(provider || ' ' || amount, ', ' order by provider) from payments where state = 'captured'`); got != "gift_card 1000, none 0, store_credit 1990" {
		t.Errorf("payments: %s", got)
	}
}
