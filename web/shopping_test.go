package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// access opens or closes the shop, and gives the link that lets the staff in.
func (s *shop) access(t testing.TB, state, password string) (link string) {
	t.Helper()
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		code := ""
		if password != "" {
			code = s.h.links.Code(password)
		}
		if err := settings.SetAccess(ctx, tx, settings.ShopAccessPatch{State: &state, Password: &code}); err != nil {
			return err
		}
		a, err := settings.Access(ctx, tx)
		if err == nil {
			link, err = s.h.links.Enter(ctx, a.Seed)
		}
		return err
	})
	at, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return at.RequestURI()
}

func TestAShopThatIsNotOpen(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Cup", nil)
	b := h.visitor(t, s.label)
	b.put("/products/cup", "1")
	order := b.get(b.pay(b.toPayment(), "succeeds").leadsTo()).says("Thank you").path
	s.writes(t, content.Page, `{"title": "Imprint", "purpose": "legal_notice", "body_html": "<p>Ada Example</p>", "published_at": "2020-01-01T00:00:00Z"}`)
	s.writes(t, content.Page, `{"title": "About", "published_at": "2020-01-01T00:00:00Z"}`)
	link := s.access(t, "password", "linen")
	stranger := h.visitor(t, s.label)
	for _, path := range []string{"/", "/products", "/products/cup", "/search?q=cup", "/cart", "/checkout", "/nowhere", "/account/sign-in", "/sitemap.xml"} {
		a := stranger.get(path).status(http.StatusForbidden).says("Opening soon", "Password of the shop", "noindex").lacks("Cup")
		if a.Header().Get("Cache-Control") != personalPage {
			t.Errorf("%s may be kept", path)
		}
	}
	stranger.get("/robots.txt").says("Disallow: /\n")
	stranger.get("/").says(`href="/pages/imprint"`)
	if a := stranger.get("/pages/imprint").status(http.StatusOK).says("Ada Example", "noindex").lacks("Cup", "/products"); a.Header().Get("Cache-Control") != personalPage {
		t.Error("it may be kept for those who come in")
	}
	stranger.get("/pages/about").status(http.StatusForbidden)
	stranger.get(stranger.get("/").find(`<link rel="stylesheet" href="([^"]+)"`)).status(http.StatusOK)
	b.get(order).status(http.StatusOK).says("Cup").lacks(`href="/products"`) // it is theirs
	stranger.get("/contact").status(http.StatusOK).says("Write to us").lacks(`href="/products"`)
	stranger.post("/password", url.Values{"password": {"cotton"}}).status(http.StatusUnprocessableEntity).says("This is not the password.")
	a := stranger.follow("/password", url.Values{"password": {" linen "}}).status(http.StatusOK).says("Cup")
	if a.Header().Get("Cache-Control") != "private, no-cache" {
		t.Errorf("what only some may see may be kept: %s", a.Header().Get("Cache-Control"))
	}
	guest := h.visitor(t, s.label)
	guest.get(strings.Replace(link, "enter=", "enter=x", 1)).status(http.StatusSeeOther)
	guest.get("/").status(http.StatusForbidden)
	if to := guest.get(link).status(http.StatusSeeOther).leadsTo(); to != "/" {
		t.Errorf("the link leads to %s", to)
	}
	guest.get("/products/cup").says("Cup")

	link = s.access(t, "maintenance", "")
	for _, who := range []*browser{guest, stranger} { // who came in before does not any more
		if a := who.get("/").status(http.StatusServiceUnavailable).says("We will be back in a moment").lacks("Password of the shop"); a.Header().Get("Retry-After") == "" {
			t.Error("it does not say when to come back")
		}
	}
	guest.post("/password", url.Values{"password": {"linen"}}).status(http.StatusServiceUnavailable)
	guest.get(link)
	guest.get("/").status(http.StatusOK).says("Cup")
	s.access(t, "open", "")
	if a := stranger.get("/").status(http.StatusOK).says("Cup"); a.Header().Get("Cache-Control") != sharedPage {
		t.Errorf("an open shop's pages: %s", a.Header().Get("Cache-Control"))
	}
}

// post are the kinds of the mails that wait to be sent from a shop, and to whom.
func (s *shop) post(t testing.TB) (list string) {
	t.Helper()
	ref, _ := postgres.StoreFrom(s.Ctx)
	err := s.h.db.InCell(t.Context(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `with d as (delete from cell.outbox where store = $1 and kind = $2 returning id, args)
			select coalesce(string_agg(args->>'kind' || ' ' || (args->>'to'), ', ' order by id), '') from d`, postgres.RoleName(ref.Cell, ref.Schema), mail.JobSend).Scan(&list)
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestPeopleWriteToTheShop(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.product(t, "Cup", nil)
	b := h.visitor(t, s.label)
	b.get("/").says(`href="/contact"`, `href="/withdraw"`)
	message := url.Values{"name": {"Ada"}, "email": {"ada@example.com"}, "message": {"Is it safe in an oven?"}}
	b.get("/contact").says("Write to us", "owner@example.com")
	b.post("/contact", url.Values{"name": {"Ada"}, "email": {"ada"}}).status(http.StatusUnprocessableEntity).says(`id="email-fault"`, `id="message-fault"`, `value="Ada"`)
	b.post("/contact", message).status(http.StatusOK).says("Your message is on its way")
	if got := s.post(t); got != "contact_message owner@example.com" {
		t.Errorf("sent: %s", got)
	}
	message.Set("website", "https://spam.example")
	b.post("/contact", message).status(http.StatusOK).says("Your message is on its way")
	if got := s.post(t); got != "" {
		t.Errorf("a program sent %s", got)
	}

	// A withdrawal is shown once more before it counts.
	b.put("/products/cup", "1")
	order := b.get(b.pay(b.toPayment(), "succeeds").leadsTo())
	s.post(t)
	b.get(order.find(`href="(/withdraw\?order=[^"]+)"`)).says(`value="1001"`, `value="ada@example.com"`, `value="Ada Example"`)
	h.visitor(t, s.label).get("/withdraw?order=" + strings.TrimPrefix(order.path, "/orders/")).status(http.StatusOK).lacks("ada@example.com")
	declared := url.Values{"name": {"Ada Example"}, "email": {"ada@example.com"}, "order_number": {"1001"}, "message": {"The cup."}}
	b.post("/withdraw", url.Values{"name": {"Ada"}}).status(http.StatusUnprocessableEntity).says(`id="order_number-fault"`, `id="email-fault"`)
	asked := b.post("/withdraw", declared).status(http.StatusOK).says("Confirm the withdrawal", "1001", "The cup.")
	if got := s.post(t); got != "" {
		t.Errorf("before it was confirmed: %s", got)
	}
	confirmed := asked.hidden()
	confirmed.Set("confirmed", "yes")
	b.post("/withdraw", confirmed).status(http.StatusOK).says("We have received your withdrawal")
	if got := s.post(t); got != "withdrawal_received ada@example.com, withdrawal_declared owner@example.com" {
		t.Errorf("sent: %s", got)
	}
}

// What the law wants told of a product stands on its page.
func TestWhatTheLawWantsTold(t *testing.T) {
	t.Parallel()
	h := open(t)
	s := h.shop(t)
	s.in(t, func(ctx context.Context, tx *postgres.Tx) error {
		for _, key := range []string{"manufacturer", "safety"} {
			if _, err := fields.Create(ctx, tx, fields.Definition{Resource: fields.Products, Key: key, Name: strings.ToUpper(key[:1]) + key[1:], Type: fields.Multiline, Shown: true}); err != nil {
				return err
			}
		}
		return nil
	})
	s.product(t, "Tea", func(in *catalog.ProductInput) {
		in.Variants[0].NetContent = &catalog.NetContent{Value: "100", Unit: "g"}
		in.CustomFields = fields.Values{"manufacturer": "Mill Ltd, 1 Mill Street, Berlin", "safety": "Hot when brewed."}
	})
	b := h.visitor(t, s.label)
	b.get("/products/tea").says("Manufacturer and safety", "Mill Ltd, 1 Mill Street, Berlin", "Hot when brewed.", "€250.00 per kg")
	b.get("/products").says("€250.00 per kg")
}
