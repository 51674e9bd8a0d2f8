package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// account registers a shopper and gives the session's token.
func (s *selling) account(email string) string {
	s.t.Helper()
	s.shop("POST", "/customers", object{"email": email, "password": "a stone bench in the shade", "name": "Shopper"}).Want(202)
	verified := s.shop("POST", "/customers/verify", object{"token": s.mailed()}, key()).Want(201)
	return "Customer-Token: " + verified.String("token")
}

// mailed is the token of the mail to the shopper who registered last.
func (s *selling) mailed() string { return s.mailedTo("") }

// mailedTo is the token of the last mail to an address, or of the last one at all.
func (s *selling) mailedTo(email string) string {
	s.t.Helper()
	ref, _ := postgres.StoreFrom(s.Ctx)
	var raw []byte
	err := s.DB.InCell(context.Background(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select args from cell.outbox where store = $1 and kind = $2 and ($3 = '' or args->>'email' = $3) order by id desc limit 1`,
			postgres.RoleName(ref.Cell, ref.Schema), customers.JobMail, email).Scan(&raw)
	})
	var args customers.MailArgs
	if err == nil {
		err = json.Unmarshal(raw, &args)
	}
	link := ""
	if err == nil {
		err = (&customers.Mailer{DB: s.DB, Post: post(func(letter mail.Letter) { link = string(letter.Data) }), Links: shopLinks{}}).Send(s.Ctx, args)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	_, token, _ := strings.Cut(link, "token=")
	token, _, _ = strings.Cut(token, `"`)
	return token
}

type post func(mail.Letter)

func (p post) Send(_ context.Context, letter mail.Letter) error { p(letter); return nil }

type shopLinks struct{}

func (shopLinks) VerifyCustomer(_ context.Context, token string) (string, error) {
	return "https://shop.example/?token=" + token, nil
}
func (shopLinks) SignIn(context.Context) (string, error) { return "https://shop.example/sign-in", nil }
func (shopLinks) ForgotPassword(context.Context) (string, error) {
	return "https://shop.example/forgot", nil
}
func (shopLinks) ConfirmEmail(_ context.Context, token string) (string, error) {
	return "https://shop.example/?token=" + token, nil
}
func (shopLinks) ConfirmSubscription(_ context.Context, token string) (string, error) {
	return "https://shop.example/?token=" + token, nil
}
func (shopLinks) ResetPassword(_ context.Context, token string) (string, error) {
	return "https://shop.example/?token=" + token, nil
}

// resetsPassword sets a new password by the link of a mail.
func (s *selling) resetsPassword(t *testing.T, email string) {
	t.Helper()
	unknown := s.shop("POST", "/password-resets", object{"email": "nobody@example.com"}).Want(202)
	known := s.shop("POST", "/password-resets", object{"email": email}).Want(202)
	if string(known.Body) != string(unknown.Body) {
		t.Errorf("a known address is answered %s, an unknown one %s", known.Body, unknown.Body)
	}
	token := s.mailed()
	s.shop("POST", "/password-resets/complete", object{"token": token, "password": "passwordpassword1"}).WantProblem(422, "password_too_common")
	s.shop("POST", "/password-resets/complete", object{"token": token, "password": "short"}).Want(400)
	newSelling(t).shop("POST", "/password-resets/complete", object{"token": token, "password": "a third bench in the rain"}).WantProblem(422, "token_invalid")
	once := "Idempotency-Key: new-password"
	reset := s.shop("POST", "/password-resets/complete", object{"token": token, "password": "a third bench in the rain"}, once).Want(201)
	if reset.String("customer.email") != email || reset.String("token") == "" {
		t.Errorf("reset: %s", reset.Body)
	}
	again := s.shop("POST", "/password-resets/complete", object{"token": token, "password": "a third bench in the rain"}, once).Want(201)
	if again.Header.Get("Idempotent-Replayed") != "true" || again.String("token") != reset.String("token") {
		t.Errorf("replayed: %s", again.Body)
	}
	s.shop("GET", "/me", nil, "Customer-Token: "+reset.String("token")).Want(200)
	s.shop("POST", "/password-resets/complete", object{"token": token, "password": "a third bench in the rain"}).WantProblem(422, "token_invalid")
}

func TestCustomersOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	guest := s.order(1) // by a guest, under the address that will have an account
	session := s.account("ada@example.com")
	me := s.shop("GET", "/me", nil, session).Want(200)
	s.shop("GET", "/me", nil, session, "If-None-Match: "+me.Header.Get("ETag")).Want(304)
	if me.String("email") != "ada@example.com" || me.Get("email_verified") != true || me.String("name") != "Shopper" || me.Get("default_address") != nil {
		t.Errorf("me: %s", me.Body)
	}
	if got := names(s.shop("GET", "/me/orders", nil, session).Want(200), "id"); got != guest {
		t.Errorf("my orders: %s", got)
	}
	s.shop("GET", "/orders/"+guest, nil, session).Want(200)
	changed := s.shop("PATCH", "/me", object{"name": "Ada", "accepts_marketing": true, "phone": nil, "default_address": berlin()}, session, "If-Match: "+me.Header.Get("ETag")).Want(200)
	if changed.String("name") != "Ada" || changed.Get("accepts_marketing") != true {
		t.Errorf("changed: %s", changed.Body)
	}
	s.shop("PATCH", "/me", object{"name": "Ada"}, session, "If-Match: "+me.Header.Get("ETag")).WantProblem(412, "stale")
	made := s.shop("POST", "/carts", object{}, session).Want(201)
	if made.String("cart.customer_id") != me.String("id") || made.String("cart.email") != "ada@example.com" || made.String("cart.shipping_address.city") != "Berlin" {
		t.Errorf("a cart of who is signed in: %s", made.Body)
	}
	signedIn := s.shop("POST", "/customer-session", object{"email": "Ada@example.com", "password": "a stone bench in the shade"}).Want(201)
	if signedIn.String("customer.id") != me.String("id") {
		t.Errorf("signed in: %s", signedIn.Body)
	}
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		s.shop("POST", "/customer-session", object{"email": email, "password": "wrong"}).WantProblem(401, "invalid_credentials")
	}
	s.shop("DELETE", "/customer-session", nil, session).Want(204)
	s.shop("DELETE", "/customer-session", nil, session).WantProblem(401, "invalid_customer_token")
	for _, path := range []string{"/me", "/me/orders"} {
		s.shop("GET", path, nil).WantProblem(401, "invalid_customer_token")
		s.shop("GET", path, nil, session).WantProblem(401, "invalid_customer_token")
	}
	s.shop("PATCH", "/me", object{"name": "X"}).WantProblem(401, "invalid_customer_token")
	s.shop("POST", "/customers/verify", object{"token": "cv_none"}).WantProblem(422, "token_invalid")
	s.shop("POST", "/customers", object{"email": "bob@example.com", "password": "passwordpassword1"}).WantProblem(422, "password_too_common")
	known := s.shop("POST", "/customers", object{"email": "ada@example.com", "password": "another bench in the sun"}).Want(202)
	unknown := s.shop("POST", "/customers", object{"email": "eve@example.com", "password": "another bench in the sun"}).Want(202)
	if string(known.Body) != string(unknown.Body) {
		t.Errorf("a known address is answered %s, an unknown one %s", known.Body, unknown.Body)
	}
	s.resetsPassword(t, "ada@example.com")
	signedIn = s.shop("POST", "/customer-session", object{"email": "ada@example.com", "password": "a third bench in the rain"}).Want(201)
	// Another store's session opens nothing here.
	other := newSelling(t)
	other.shop("GET", "/me", nil, "Customer-Token: "+signedIn.String("token")).WantProblem(401, "invalid_customer_token")

	id := me.String("id")
	customer := s.admin("GET", "/customers/"+id, nil).Want(200)
	if customer.Get("orders_count") != 1.0 || customer.Get("registered") != true {
		t.Errorf("the staff sees %s", customer.Body)
	}
	s.admin("PATCH", "/customers/"+id, object{"note": "Kind.", "default_address": nil}, "If-Match: "+customer.Header.Get("ETag")).Want(200)
	s.admin("PATCH", "/customers/"+id, object{"note": nil}, "If-Match: "+customer.Header.Get("ETag")).WantProblem(412, "stale")
	s.admin("POST", "/field-definitions", object{"resource": "customer", "key": "size", "name": "Size", "type": "choice", "validations": object{"choices": []string{"S", "M"}}}).Want(201)
	s.admin("PATCH", "/customers/"+id, object{"custom_fields": object{"size": "L"}}).WantProblem(422, "details_invalid")
	if got := s.admin("PATCH", "/customers/"+id, object{"custom_fields": object{"size": "M"}}).Want(200).String("custom_fields.size"); got != "M" {
		t.Errorf("size: %s", got)
	}
	if got := s.admin("PATCH", "/customers/"+id+"?dry_run=true", object{"note": "Gone."}).Want(200).String("note"); got != "Gone." {
		t.Errorf("tried: %s", got)
	}
	if got := s.admin("GET", "/customers?q=ada&email=ada@example.com", nil).Want(200); got.String("data.0.note") != "Kind." || got.Get("data.0.default_address") != nil {
		t.Errorf("found: %s", got.Body)
	}
	other.admin("PATCH", "/customers/"+id, object{"note": "x"}).WantProblem(404, "not_found")
	other.admin("DELETE", "/customers/"+id, nil).WantProblem(404, "not_found")
	s.admin("DELETE", "/customers/"+id, nil).Want(204)
	s.admin("GET", "/customers/"+id, nil).WantProblem(404, "not_found")
	if got := s.admin("GET", "/orders/"+guest, nil).Want(200); got.Get("customer_id") != nil || got.String("email") != "ada@example.com" {
		t.Errorf("the order of who is gone: %s", got.Body)
	}
}

func TestCustomersOfTheMerchants(t *testing.T) {
	t.Parallel()
	s, other := newSelling(t), newSelling(t)
	made := s.admin("POST", "/customers", object{"email": "Ada@example.com", "name": "Ada Example", "tags": []string{"press"}, "custom_fields": object{},
		"addresses": []object{{"address": berlin(), "default_shipping": true, "default_billing": true}}}).Want(201)
	id := made.String("id")
	if made.String("email") != "ada@example.com" || made.String("tags.0") != "press" || made.String("default_address.city") != "Berlin" || made.Get("registered") != false || made.Get("disabled") != false {
		t.Errorf("made: %s", made.Body)
	}
	s.admin("POST", "/customers", object{"email": "ada@example.com"}).WantProblem(409, "customer_exists")
	s.admin("POST", "/customers", object{"name": "Ada"}).Want(400)
	s.Do(t, s.pk, "POST", "/v1/customers", object{"email": "eve@example.com"}).Want(403)
	other.admin("POST", "/customers", object{"email": "ada@example.com"}).Want(201) // a person of two stores is two customers
	entry := made.String("addresses.0.id")
	paris := object{"name": "Ada Example", "line1": "1 Sample Street", "city": "Paris", "postal_code": "75001", "country": "FR"}
	changed := s.admin("PATCH", "/customers/"+id, object{"addresses": []object{{"id": entry, "address": berlin()}, {"address": paris, "default_shipping": true}}, "tags": []string{}}).Want(200)
	if changed.String("addresses.0.id") != entry || changed.String("default_address.city") != "Paris" || changed.Get("tags.0") != nil {
		t.Errorf("changed: %s", changed.Body)
	}
	other.admin("PATCH", "/customers/"+id, object{"tags": []string{}}).WantProblem(404, "not_found")
	s.admin("PATCH", "/customers/"+id, object{"addresses": []object{{"id": "adr_none", "address": paris}}}).WantProblem(422, "details_invalid")

	// Registering with the address attaches an account to it, and keeps no address that others wrote down.
	session := s.account("ada@example.com")
	me := s.shop("GET", "/me", nil, session).Want(200)
	if me.String("id") != id || me.Get("addresses.0") != nil {
		t.Errorf("me: %s", me.Body)
	}
	if got := names(s.admin("GET", "/customers?registered=true&q=ada", nil).Want(200), "id"); got != id {
		t.Errorf("with an account: %s", got)
	}
	if got := names(s.admin("GET", "/customers?tag=press", nil).Want(200), "id"); got != "" {
		t.Errorf("with a label: %s", got)
	}
	mine := s.shop("PATCH", "/me", object{"addresses": []object{{"address": berlin(), "default_shipping": true}, {"address": paris, "default_billing": true}}}, session).Want(200)
	if mine.String("addresses.1.address.city") != "Paris" {
		t.Errorf("my book: %s", mine.Body)
	}
	cart := s.shop("POST", "/carts", object{}, session).Want(201)
	if cart.String("cart.shipping_address.city") != "Berlin" || cart.String("cart.billing_address.city") != "Paris" {
		t.Errorf("a cart: %s", cart.Body)
	}

	wish := object{"email": "new@example.com", "password": "a stone bench in the shade"}
	s.shop("POST", "/me/email-change", wish).WantProblem(401, "invalid_customer_token")
	s.shop("POST", "/me/email-change", object{"email": "new@example.com", "password": "wrong"}, session).WantProblem(401, "invalid_credentials")
	s.shop("POST", "/me/email-change", object{"email": "ada@example.com", "password": "wrong"}, session).WantProblem(422, "details_invalid")
	s.account("bob@example.com")
	known := s.shop("POST", "/me/email-change", object{"email": "bob@example.com", "password": wish["password"]}, session).Want(202)
	unknown := s.shop("POST", "/me/email-change", wish, session).Want(202)
	if string(known.Body) != string(unknown.Body) {
		t.Errorf("a known address is answered %s, an unknown one %s", known.Body, unknown.Body)
	}
	token := object{"token": s.mailedTo("new@example.com")}
	s.shop("POST", "/me/email-change/confirm", token).WantProblem(401, "invalid_customer_token")
	s.shop("POST", "/me/email-change/confirm", token, s.account("eve@example.com")).WantProblem(422, "token_invalid")
	if got := s.shop("POST", "/me/email-change/confirm", token, session).Want(200); got.String("email") != "new@example.com" || got.String("id") != id {
		t.Errorf("changed to %s", got.Body)
	}
	s.admin("PATCH", "/customers/"+id, object{"disabled": true}).Want(200)
	s.shop("GET", "/me", nil, session).WantProblem(401, "invalid_customer_token")
}

func TestConsentOverHTTP(t *testing.T) {
	t.Parallel()
	s, other := newSelling(t), newSelling(t)
	guest := s.order(1)
	s.shop("POST", "/newsletter", object{"email": "nobody"}).Want(400)
	known := s.shop("POST", "/newsletter", object{"email": "ada@example.com", "wording": "Yes, please."}).Want(202)
	token := object{"token": s.mailedTo("ada@example.com")}
	unknown := s.shop("POST", "/newsletter", object{"email": "eve@example.com"}).Want(202)
	if string(known.Body) != string(unknown.Body) {
		t.Errorf("a known address is answered %s, an unknown one %s", known.Body, unknown.Body)
	}
	other.shop("POST", "/newsletter/confirm", token).WantProblem(422, "token_invalid")
	s.shop("POST", "/newsletter/confirm", token).Want(204)
	s.shop("POST", "/newsletter/confirm", token).WantProblem(422, "token_invalid")
	customer := s.admin("GET", "/customers?email=ada@example.com&accepts_marketing=true", nil).Want(200)
	id := customer.String("data.0.id")
	s.admin("PATCH", "/customers/"+id, object{"accepts_marketing": false}).Want(200)
	s.admin("PATCH", "/customers/"+id, object{"accepts_marketing": true, "marketing_wording": "On paper."}).Want(200)
	texts := s.admin("POST", "/customers", object{"email": "tess@example.com", "accepts_sms_marketing": true}).Want(201)
	if texted := s.admin("GET", "/customers?accepts_sms_marketing=true", nil).Want(200); texted.String("data.0.id") != texts.String("id") || texted.Get("data.1") != nil {
		t.Errorf("those who agreed to text messages: %s", texted.Body)
	}
	s.shop("POST", "/newsletter/unsubscribe", object{"id": id, "key": "guessed"}).WantProblem(404, "not_found")
	tried := s.shop("POST", "/newsletter/unsubscribe?dry_run=true", object{"id": id, "key": "key-" + id}).Want(204)
	if tried.Header.Get("Dry-Run") != "true" || tried.Header.Get("Dry-Run-Rows") != "" {
		t.Errorf("a shopper's trial: %v", tried.Header)
	}
	s.shop("POST", "/newsletter/unsubscribe", object{"id": id, "key": "key-" + id}).Want(204)
	s.shop("POST", "/newsletter/unsubscribe", object{"id": id, "key": "key-" + id}, apitest.ChangesNothing).Want(204)
	list := s.admin("GET", "/customers/"+id+"/marketing-consents?limit=3", nil).Want(200)
	if got := names(list, "method"); got != "link staff staff" || list.String("data.1.wording") != "On paper." || list.Get("data.0.granted") != false || list.Get("next_cursor") == nil {
		t.Errorf("the consents: %s", list.Body)
	}
	rest := s.admin("GET", "/customers/"+id+"/marketing-consents?limit=3&cursor="+list.String("next_cursor"), nil).Want(200)
	if rest.String("data.0.method") != "double_opt_in" || rest.String("data.0.wording") != "Yes, please." || rest.Get("data.0.requested_at") == nil {
		t.Errorf("and the first: %s", rest.Body)
	}
	other.admin("GET", "/customers/"+id+"/marketing-consents", nil).WantProblem(404, "not_found")
	s.Do(t, s.pk, "GET", "/v1/customers/"+id+"/marketing-consents", nil).Want(403)

	// A guest follows an order by its link, and has it sent again without learning what there is.
	opened := s.shop("POST", "/orders/"+guest+"/open", object{"key": "key-" + guest}, apitest.ChangesNothing).Want(200)
	if opened.String("id") != guest {
		t.Errorf("opened: %s", opened.Body)
	}
	s.shop("POST", "/orders/"+guest+"/open", object{"key": "guessed"}).WantProblem(404, "not_found")
	other.shop("POST", "/orders/"+guest+"/open", object{"key": "key-" + guest}).WantProblem(404, "not_found")
	asked := s.shop("POST", "/order-links", object{"number": 1001, "email": "ada@example.com"}).Want(202)
	if none := s.shop("POST", "/order-links", object{"number": 9999, "email": "ada@example.com"}).Want(202); string(asked.Body) != string(none.Body) {
		t.Errorf("an order is answered %s, none %s", asked.Body, none.Body)
	}
}

func TestWhatIsWrittenToTheShop(t *testing.T) {
	t.Parallel()
	s := newSelling(t)
	said := object{"name": "Ada", "email": "ada@example.com", "message": "Is it safe in an oven?"}
	s.shop("POST", "/messages", said).Want(202)
	s.shop("POST", "/messages", object{"name": "Ada", "email": "ada@example.com"}).WantProblem(400, "invalid_request")
	s.shop("POST", "/messages", object{"name": " ", "email": "ada@example.com", "message": "x"}).WantProblem(422, "details_invalid")
	order := s.order(1)
	number := fmt.Sprint(s.admin("GET", "/orders/"+order, nil).Want(200).Get("number"))
	s.shop("POST", "/withdrawals", object{"name": "Ada", "email": "ada@example.com", "order_number": number}).Want(202)
	s.shop("POST", "/withdrawals", object{"name": "Ada", "email": "ada@example.com", "order_number": "nowhere"}).Want(202)
	s.shop("POST", "/withdrawals", object{"name": "Ada", "email": "ada@example.com"}).WantProblem(400, "invalid_request")
	if got := s.admin("GET", "/orders/"+order+"/timeline", nil).Want(200); got.Get("data.0.action") != "order.withdraw" {
		t.Errorf("timeline: %s", got.Body)
	}
	s.admin("POST", "/shop/messages", said).WantProblem(403, "wrong_credential")
}
