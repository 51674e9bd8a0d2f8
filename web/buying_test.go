package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// contact is a filled-in first step of the checkout.
func contact(changes ...string) url.Values {
	values := url.Values{
		"email": {"Ada@Example.com "}, "name": {"Ada Example"}, "line1": {"Invalidenstraße 1"}, "postal_code": {"10115"}, "city": {"Berlin"},
		"country": {"DE"}, "note": {"Please ring twice."}, "company": {""}, "line2": {""}, "region": {""}, "phone": {""},
	}
	for i := 0; i < len(changes); i += 2 {
		values.Set(changes[i], changes[i+1])
	}
	return values
}

// put puts a product into the cart from its page.
func (b *browser) put(path, quantity string) *answer {
	b.t.Helper()
	fields := b.get(path).status(http.StatusOK).hidden()
	fields.Set("quantity", quantity)
	return b.follow("/cart/lines", fields).status(http.StatusOK)
}

// toPayment goes through the checkout up to its last step.
func (b *browser) toPayment() *answer {
	b.t.Helper()
	b.follow("/checkout/contact", contact()).status(http.StatusOK)
	shipping := b.get("/checkout").says("Shipping", "Standard", "Express")
	return b.follow("/checkout/shipping", url.Values{"method": {shipping.find(`name="method" value="([^"]+)"`)}}).status(http.StatusOK)
}

// pay sends the last form of the checkout.
func (b *browser) pay(form *answer, token string) *answer {
	b.t.Helper()
	fields := form.hidden()
	fields.Set("token", token)
	return b.post("/checkout/pay", fields)
}

func TestAShopperBuysByFormsAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	b := h.visitor(t, s.label)

	b.get("/").status(http.StatusOK).says("Linen shirt", "Look around")
	b.get("/cart").says("Your cart is empty")
	b.get("/products").says("Linen shirt", "€25.00")
	b.put("/products/linen-shirt", "2").says("Linen shirt is in your cart.", "€50.00", "Go to checkout")
	cart := b.put("/products/linen-shirt", "1").says("€75.00")
	line := cart.find(`action="(/cart/lines/cln_[^"/]+)"`)
	b.follow(line, url.Values{"quantity": {"2"}}).says("€50.00").lacks("€75.00")

	// Every fault of the form is told at its field, and what was typed stays.
	b.get("/checkout").status(http.StatusOK).says("Contact and address", "Germany", "in the next step")
	b.post("/checkout/contact", contact("email", "ada", "line1", "", "postal_code", "1", "country", "DE")).status(http.StatusUnprocessableEntity).
		says("Something is not right yet", `id="email-fault"`, `aria-describedby="email-fault"`, `id="line1-fault"`, `id="postal_code-fault"`, `value="Berlin"`, `value="ada"`).
		lacks(`id="city-fault"`)
	b.post("/checkout/contact", contact("country", "XX")).status(http.StatusUnprocessableEntity).says(`id="country-fault"`)
	b.post("/checkout/contact", contact("billing_differs", "yes", "billing_name", "Bo")).status(http.StatusUnprocessableEntity).
		says(`id="billing_line1-fault"`, `value="Bo"`).lacks(`id="line1-fault"`)
	b.post("/checkout/contact", contact("note", strings.Repeat("x", 2001))).status(http.StatusUnprocessableEntity).says(`id="note-fault"`)

	b.follow("/checkout/contact", contact()).says("ada@example.com", "10115 Berlin", "Express")
	b.post("/checkout/shipping", url.Values{}).status(http.StatusUnprocessableEntity).says("Please choose how it is to be sent.")
	b.post("/checkout/shipping", url.Values{"method": {"shp_none"}}).status(http.StatusUnprocessableEntity).says("does not serve your address")
	b.get("/checkout?step=payment").says("Continue to payment").lacks("Pay €")

	payment := b.follow("/checkout/shipping", url.Values{"method": {s.Express}})
	payment.says("Total", "€62.00", "Pay €62.00 now", "of which VAT")
	if total, button := strings.LastIndex(payment.page(), `class="total"><span>Total`), strings.Index(payment.page(), "Pay €62.00 now"); total < 0 || total > button {
		t.Error("the total does not stand above the button")
	}
	b.get("/checkout?step=shipping").says("Continue to payment")
	b.get("/checkout?step=contact").says(`value="Ada Example"`, "Continue to shipping")

	declined := b.pay(payment, "declined").status(http.StatusSeeOther)
	again := b.get(declined.leadsTo()).says("The payment was declined. Nothing was charged", "Pay €62.00 now")
	if s.stock(t, "Linen shirt") != 10 {
		t.Error("a declined payment took goods")
	}
	broken := b.pay(again, "error").status(http.StatusSeeOther)
	again = b.get(broken.leadsTo()).says("does not answer")

	paid := b.pay(again, "succeeds").status(http.StatusSeeOther)
	order := paid.leadsTo()
	b.get(order).status(http.StatusOK).says("Thank you", "Order 1001", "ada@example.com", "Linen shirt", "€62.00", "Express", "Please ring twice.", "In preparation")
	if got := s.stock(t, "Linen shirt"); got != 8 {
		t.Errorf("%d are left, want 8", got)
	}
	b.get("/cart").says("Your cart is empty")
	b.get("/checkout").status(http.StatusSeeOther)

	// The invoice, for whoever sees the order.
	s.Exec(t, `update settings set invoicing = '{"seller": {"address": {"name": "Example Ltd", "line1": "1 Pot Street", "city": "Berlin", "country": "DE"}}}'`)
	if err := h.documents.Issue(s.Ctx, documents.IssueArgs{OrderID: strings.TrimPrefix(order, "/orders/")}); err != nil {
		t.Fatal(err)
	}
	invoice := b.get(order).says("Invoice INV-1").find(`href="(/orders/[^"]+/documents/doc_[^"]+)"`)
	if file := b.get(invoice).status(http.StatusOK); file.Header().Get("Content-Type") != "application/pdf" || !strings.HasPrefix(file.page(), "%PDF") {
		t.Error("the invoice is no PDF")
	}
	h.visitor(t, s.label).get(invoice).status(http.StatusNotFound)

	// Only who placed it sees it, or who has the link from the mail.
	stranger := h.visitor(t, s.label)
	stranger.get(order).status(http.StatusNotFound).lacks("Ada Example")
	stranger.get(order + "?key=wrong").status(http.StatusNotFound)
	link, err := h.links.Order(s.Ctx, strings.TrimPrefix(order, "/orders/"))
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(link)
	if u.Host != s.label+"."+domain || u.Scheme != "https" {
		t.Errorf("the mail leads to %s", link)
	}
	opened := stranger.get(u.RequestURI()).status(http.StatusSeeOther)
	if opened.leadsTo() != order {
		t.Errorf("the link leads on to %s: its key stays in the address", opened.leadsTo())
	}
	stranger.get(order).status(http.StatusOK).says("Ada Example")
	other := h.visitor(t, h.shop(t).label)
	other.get(u.RequestURI()).status(http.StatusNotFound)
}

// stock is how many there are of a product of one variant.
func (s *shop) stock(t testing.TB, title string) int64 {
	t.Helper()
	return shoptest.Value[int64](t, s.Shop, `select sum(v.stock)::bigint from variants v join products p on p.id = v.product_id where p.title = $1`, title)
}

func TestAPaymentSentTwiceMakesOneOrder(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Bowl", nil)
	b := h.visitor(t, s.label)
	b.put("/products/bowl", "1")
	payment := b.toPayment()
	jar := map[string]*http.Cookie{}
	for name, c := range b.jar {
		jar[name] = c
	}
	first := b.pay(payment, "succeeds").status(http.StatusSeeOther)
	b.jar = jar // the browser had not got the answer yet
	second := b.pay(payment, "succeeds").status(http.StatusSeeOther)
	if first.leadsTo() != second.leadsTo() || !strings.HasPrefix(first.leadsTo(), "/orders/ord_") {
		t.Errorf("one payment led to %s and %s", first.leadsTo(), second.leadsTo())
	}
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from orders`); n != 1 {
		t.Errorf("%d orders", n)
	}
}

func TestTheTotalIsTheOneThatWasShown(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Vase", nil)
	b := h.visitor(t, s.label)
	b.put("/products/vase", "1")
	payment := b.toPayment().says("€29.90")
	s.Exec(t, `update prices set amount = 9900 where currency = 'EUR'`)
	refused := b.pay(payment, "succeeds").status(http.StatusSeeOther)
	b.get(refused.leadsTo()).says("The total has changed", "Pay €103.90 now")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from orders`); n != 0 {
		t.Errorf("%d orders", n)
	}
}

func TestWhatIsGoneIsToldInTheCart(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Lamp", nil)
	b := h.visitor(t, s.label)
	b.post("/cart/lines", func() url.Values {
		fields := b.get("/products/lamp").hidden()
		fields.Set("quantity", "11")
		return fields
	}()).status(http.StatusConflict).says("Only 10 of Lamp")
	b.put("/products/lamp", "10")
	payment := b.toPayment()
	s.Exec(t, `update variants set stock = 3`)
	refused := b.pay(payment, "succeeds").status(http.StatusSeeOther)
	if refused.leadsTo() != "/cart" {
		t.Fatalf("led to %s", refused.leadsTo())
	}
	cart := b.get("/cart").says("Only 3 of Lamp are left.", "Please change what is marked").lacks("Go to checkout")
	b.get("/checkout").status(http.StatusSeeOther)
	line := cart.find(`action="(/cart/lines/cln_[^"/]+)"`)
	b.post(line, url.Values{"quantity": {"4"}}).status(http.StatusConflict).says("Only 3")
	b.follow(line, url.Values{"quantity": {"3"}}).says("Go to checkout")
	b.post(line, url.Values{"quantity": {"many"}}).status(http.StatusUnprocessableEntity).says("from 1 to 9999")
	b.follow(line, url.Values{"quantity": {"0"}}).says("Your cart is empty")
	b.follow(line+"/remove", nil).says("Your cart is empty")
	for _, wrong := range []url.Values{{"variant": {"var_none"}, "quantity": {"1"}}, {"variant": {""}}, {"variant": {"prod_x"}, "quantity": {"1"}, "currency": {"XXX"}}} {
		b.post("/cart/lines", wrong).status(http.StatusUnprocessableEntity).says("This is not for sale at the moment.")
	}
}

func TestACartBelongsToWhoHoldsItsToken(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Cup", nil)
	b := h.visitor(t, s.label)
	b.put("/products/cup", "1")
	held := b.jar["__Host-stoa-cart"]
	if held == nil {
		t.Fatal("there is no cookie")
	}
	id, _, _ := strings.Cut(held.Value, ".")
	for _, value := range []string{id + ".ct_guessed", id, "nonsense", id + ".", ".", strings.Repeat("x", 3000)} {
		thief := h.visitor(t, s.label)
		thief.jar[held.Name] = &http.Cookie{Name: held.Name, Value: value}
		thief.get("/cart").status(http.StatusOK).says("Your cart is empty")
		thief.jar[held.Name] = &http.Cookie{Name: held.Name, Value: value}
		thief.get("/checkout").status(http.StatusSeeOther)
	}
	elsewhere := h.visitor(t, h.shop(t).label)
	elsewhere.jar[held.Name] = held
	elsewhere.get("/cart").says("Your cart is empty")
}

func TestAnotherCurrencyIsAnotherCart(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Shirt", nil)
	s.product(t, "Hat", nil)
	b := h.visitor(t, s.label)
	b.get("/products?currency=USD").says("$29.00", "/products/hat?currency=USD").lacks("€")
	b.get("/products?currency=XXX").says("€25.00")
	b.put("/products/shirt", "2").says("€50.00")
	b.put("/products/hat?currency=USD", "1").says("$87.00", "Shirt", "Hat").lacks("€50.00")
}

func TestThingsWithoutAParcelNeedNoAddress(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Pattern", func(in *catalog.ProductInput) { in.Variants[0].RequiresShipping = false })
	b := h.visitor(t, s.label)
	b.put("/products/pattern", "1")
	b.get("/checkout").says("Continue to payment").lacks("Delivery address", "Shipping")
	payment := b.follow("/checkout/contact", url.Values{"email": {"ada@example.com"}}).says("Pay €25.00 now")
	paid := b.pay(payment, "succeeds").status(http.StatusSeeOther)
	b.get(paid.leadsTo()).says("Thank you", "ada@example.com").lacks("Delivery address")
}

func TestOneWayToSendIsChosenByItself(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Cloth", nil)
	s.Exec(t, `delete from shipping_methods where id = $1`, s.Express)
	b := h.visitor(t, s.label)
	b.put("/products/cloth", "1")
	b.follow("/checkout/contact", contact()).says("Standard", "Pay €29.90 now")
	s.Exec(t, `update shipping_zones set territories = '[{"country": "FR"}]'`)
	s.Exec(t, `update shipping_methods set zone_id = (select id from shipping_zones)`)
	b.get("/checkout").says("This shop does not send to your address.")
}

func TestALiveShopWithoutProofTakesNoOrders(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Jar", nil)
	ref, _ := postgres.StoreFrom(s.Ctx)
	h.control(t, `update stores set demo = false, revision = revision + 1 where id = $1`, ref.ID)
	b := h.visitor(t, s.label)
	b.put("/products/jar", "1").says("This shop does not take orders yet.")
	b.follow("/checkout/contact", contact())
	b.follow("/checkout/shipping", url.Values{"method": {s.Standard}}).says("This shop does not take payments yet.").lacks("succeeds")
	a := b.post("/checkout/pay", url.Values{"token": {"succeeds"}, "attempt": {"x"}, "expected_amount": {"2990"}, "expected_currency": {"EUR"}}).status(http.StatusSeeOther)
	b.get(a.leadsTo()).says("not paid for with test payments")
	if n := shoptest.Value[int](t, s.Shop, `select count(*) from orders`); n != 0 {
		t.Errorf("%d orders", n)
	}
}

// control runs a statement on the control database.
func (h *house) control(t testing.TB, sql string, args ...any) {
	t.Helper()
	err := h.db.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A payment that asks back leads to a page and from there to the order; one that waits can
// be given up; and an order by bank transfer says how to pay.
func TestStepsOfPaying(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	s.Exec(t, `update settings set payments = '{"providers": ["manual"], "manual_methods": [{"id": "bank_transfer", "name": "Bank transfer", "instructions": "To DE02 1203."}]}'`)
	b := h.visitor(t, s.label)
	b.put("/products/linen-shirt", "1")
	payment := b.toPayment().says("Bank transfer", "A card that asks back")

	waiting := b.pay(payment, "requires_action").status(http.StatusOK).says("Your payment waits for you")
	if waiting.Header().Get("Refresh") == "" {
		t.Error("nobody is led to the payment page")
	}
	b.get("/checkout").status(http.StatusOK).says("Your payment waits for you", "Pay in another way")
	b.get("/checkout/return").status(http.StatusOK).says("Your payment waits for you")
	b.post("/checkout/abandon", url.Values{}).status(http.StatusSeeOther)
	payment = b.get("/checkout").says("How you pay")

	step := b.pay(payment, "requires_action").find(`href="(/checkout/test/pay_[^"]+)"`)
	b.get(step).says("No money moves")
	b.post(step, url.Values{"approve": {"no"}}).status(http.StatusSeeOther)
	declined := b.get("/checkout/return").status(http.StatusSeeOther)
	payment = b.get(declined.leadsTo()).says("The payment was declined")

	step = b.pay(payment, "requires_action").find(`href="(/checkout/test/pay_[^"]+)"`)
	b.post(step, url.Values{"approve": {"yes"}}).status(http.StatusSeeOther)
	order := b.get("/checkout/return").status(http.StatusSeeOther).leadsTo()
	b.get(order).says("placed and paid")
	b.get("/checkout/test/pay_none").status(http.StatusNotFound)

	b.put("/products/linen-shirt", "1")
	placed := b.pay(b.toPayment(), "manual:bank_transfer").status(http.StatusSeeOther)
	b.get(placed.leadsTo()).says("To DE02 1203.", "Not paid yet").lacks("placed and paid")
}

// Who follows the link in the mail about a cart has it again, in whatever browser.
func TestALinkBackToTheCart(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Lamp", nil)
	first := h.visitor(t, s.label)
	first.put("/products/lamp", "2")
	id := shoptest.Value[string](t, s.Shop, `select id from carts`)
	link, err := h.links.RecoverCart(s.Ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	other := h.visitor(t, s.label)
	if to := other.get(at.Path + "?key=guessed").status(http.StatusSeeOther).leadsTo(); to != "/cart" {
		t.Errorf("a guessed key leads to %s", to)
	}
	other.get("/cart").lacks("Lamp")
	other.get(at.RequestURI()).status(http.StatusSeeOther)
	other.get("/cart").says("Lamp")
	first.get("/cart").says("Lamp")
}

// A draft order is paid by its link, beside the shopper's own cart, and changes only where it
// was left open.
func TestADraftOrderIsPaidByItsLink(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Lamp", nil)
	service := &drafts.Service{Carts: cart.New(h.db)}
	price, van := money.New(5000, "EUR"), &drafts.Shipping{Name: "Our own van", Price: money.New(700, "EUR")}
	email, note, expires := "ada@example.com", "As agreed.", time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC)
	if expires.Before(time.Now()) {
		expires = time.Now().Add(24 * time.Hour)
	}
	terms := drafts.Patch{Email: &email, Note: &note, Shipping: &van, ExpiresAt: &expires, Lines: &[]drafts.Line{{Title: "A table to measure", Quantity: 2, UnitPrice: &price}}}
	var id string
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		c, err := service.Create(ctx, tx, "EUR", terms)
		if err == nil {
			id = c.ID
			_, err = service.Send(ctx, tx, id, drafts.Sending{}, 0)
		}
		return err
	})
	link, err := h.links.PayDraft(s.Ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	b := h.visitor(t, s.label)
	b.put("/products/lamp", "1")
	b.get("/pay/" + id + "?key=guessed").status(http.StatusNotFound).says("This link does not work any more")
	b.get(at.RequestURI()).status(http.StatusSeeOther)
	b.get("/checkout").says("put this together for you", "A table to measure", "ada@example.com", "As agreed.", "€107.00").lacks("Lamp", "Back to the cart", `name="email"`, `name="note"`)
	payment := b.follow("/checkout/contact", contact("email", "bo@example.com")).says("Our own van", "Pay €107.00 now").lacks("step=shipping")

	// What the merchant changes meanwhile is seen before it is paid.
	other := money.New(4000, "EUR")
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := service.Update(ctx, tx, id, drafts.Patch{Lines: &[]drafts.Line{{Title: "A chair to measure", Quantity: 2, UnitPrice: &other}, {Title: "Oil", Quantity: 1, UnitPrice: &other, Discount: &drafts.Discount{Reason: "A gift", Percentage: "50"}}}}, 0)
		return err
	})
	stale := b.pay(payment, "succeeds").status(http.StatusSeeOther)
	payment = b.get(stale.leadsTo()).says("The total has changed", "A chair to measure", "A gift", "Pay €107.00 now")
	placed := b.pay(payment, "succeeds").status(http.StatusSeeOther)
	b.get(placed.leadsTo()).says("placed and paid", "A chair to measure", "Oil", "Our own van", "ada@example.com")
	b.get(at.RequestURI()).status(http.StatusNotFound).says("The order was paid already")
	b.get("/cart").says("Lamp")
	b.get("/checkout").says("Lamp").lacks("put this together")
}

// What is left to pay of an order is paid on its page, with a second step or without.
func TestAShopperPaysTheRest(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Linen shirt", nil)
	b := h.visitor(t, s.label)
	b.put("/products/linen-shirt", "1")
	order := b.pay(b.toPayment(), "succeeds").status(http.StatusSeeOther).leadsTo()
	b.get(order).says("Paid").lacks("left to pay")
	s.Exec(t, `update payments set state = 'voided'`)
	s.Exec(t, `update orders set payment_state = 'voided'`)

	rest := b.get(order).status(http.StatusOK).says("€29.90 are left to pay.", "Pay €29.90 now", "Not paid yet")
	pay := func(token string) *answer {
		fields := rest.hidden()
		fields.Set("token", token)
		return b.post(order+"/payments", fields)
	}
	rest = b.get(pay("declined").status(http.StatusSeeOther).leadsTo()).says("The payment was declined.", "are left to pay")
	pay("requires_action").status(http.StatusOK).says("To the payment page")
	b.post(order+"/abandon", url.Values{}).status(http.StatusSeeOther)
	rest = b.get(order).says("are left to pay")
	step := pay("requires_action").status(http.StatusOK).find(`href="[^"]*(/checkout/test/pay_[^"]+)"`)
	back := b.post(step, url.Values{"approve": {"yes"}}).status(http.StatusSeeOther).leadsTo()
	if back != order+"/return" {
		t.Fatalf("the step leads back to %s", back)
	}
	b.get(b.get(back).status(http.StatusSeeOther).leadsTo()).status(http.StatusOK).says("Paid").lacks("left to pay")
	pay("succeeds").status(http.StatusSeeOther)
	h.visitor(t, s.label).post(order+"/payments", url.Values{"token": {"succeeds"}, "amount": {"2990"}, "attempt": {"x"}}).status(http.StatusNotFound)
}
