package handlers_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/stoacommerce/stoa/openapi/apitest"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/credentials"
	"github.com/stoacommerce/stoa/tenants/keys"
	"github.com/stoacommerce/stoa/tenants/operators"
	"github.com/stoacommerce/stoa/tenants/stores"
)

const accountPassword = "lantern orbit velvet marsh"

// newAccounts opens a door before accounts and stores, with their real credentials.
func newAccounts(t *testing.T) *apitest.API {
	t.Helper()
	signup, session, account, store, passkeys := &handlers.Signup{}, &handlers.Session{}, &handlers.Account{}, &handlers.Store{}, &handlers.Passkeys{}
	api := apitest.New(t, signup.Operations(), session.Operations(), account.Operations(), store.Operations(), passkeys.Operations())
	p, client, quiet := api.Platform, redistest.Client(t), slog.New(slog.DiscardHandler)
	bus := redis.OpenBus(client)
	t.Cleanup(bus.Close)
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, keys.PepperName)
	if err != nil {
		t.Fatal(err)
	}
	enforcer, err := access.New()
	if err != nil {
		t.Fatal(err)
	}
	hasher, err := passwords.NewHasher(4)
	if err != nil {
		t.Fatal(err)
	}
	site, _ := url.Parse("https://stoa.example")
	allStores := stores.New(stores.Config{DB: p.DB, Maker: p.Runner, Bus: bus, Log: quiet})
	allKeys := keys.New(keys.Config{DB: p.DB, Stores: allStores, Access: enforcer, Bus: bus, Pepper: pepper, APIVersion: "2026-11-22", Log: quiet})
	signedIn := sessions.New(client, sessions.Config{})
	people := accounts.New(accounts.Config{
		DB: p.DB, Stores: allStores, Keys: allKeys, Sessions: signedIn, Guard: guard.New(client, guard.Usual(), quiet), Hasher: hasher,
		Bus: bus, Sealer: p.Ring, Pepper: pepper.Derive("recovery_codes"), Site: site, Log: quiet,
	})
	*signup = handlers.Signup{DB: p.DB, Accounts: people, Stores: allStores, ShopURL: shopURL, Log: quiet}
	*session = handlers.Session{DB: p.DB, Accounts: people, Sessions: signedIn, Access: enforcer}
	*account = handlers.Account{DB: p.DB, Accounts: people, Sessions: signedIn, Access: enforcer}
	*store = handlers.Store{DB: p.DB, Stores: allStores, ShopURL: shopURL}
	*passkeys = handlers.Passkeys{DB: p.DB, Accounts: people, Session: session}
	api.Real = &credentials.Authenticator{Sessions: signedIn, Accounts: people, Stores: allStores, Keys: allKeys, Operators: &operators.Service{DB: p.DB, Pepper: pepper.Derive("operator_keys")}}
	return api
}

// cookie is the session that an answer carries, as a header of the next request.
func cookie(t *testing.T, answer *apitest.Answer) string {
	t.Helper()
	for _, c := range (&http.Response{Header: answer.Header}).Cookies() {
		if c.Name == sessions.CookieName && c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "" {
			return "Cookie: " + c.Name + "=" + c.Value
		}
	}
	t.Fatalf("no session in %v", answer.Header)
	return ""
}

// newShop is a sign-up that nobody made before.
func newShop() object {
	name := "x" + strings.NewReplacer("0", "", "1", "", "_", "", "m", "", "w", "", "n", "", "v", "").Replace(ids.New("x"))
	name = name[:1] + name[len(name)-13:]
	return object{"email": name + "@example.com", "password": accountPassword, "account_name": "Ada Example",
		"store_name": "Linen & Co", "store_address": name, "country": "DE", "currency": "EUR"}
}

func with(o object, changes object) object {
	out := object{}
	for _, some := range []object{o, changes} {
		for key, value := range some {
			out[key] = value
			if value == nil {
				delete(out, key)
			}
		}
	}
	return out
}

func newKey() string { return "Idempotency-Key: " + ids.New("k") }

// mailToken is the token in the latest mail of a kind to an address.
func mailToken(t *testing.T, api *apitest.API, to string, kind mail.Kind) string {
	t.Helper()
	var raw []byte
	err := api.Platform.DB.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select args->'data' from outbox where kind = 'mail' and args->>'to' = $1 and args->>'kind' = $2 order by id desc limit 1`, to, string(kind)).Scan(&raw)
	})
	if err != nil {
		t.Fatalf("mail %s to %s: %v", kind, to, err)
	}
	var data struct{ URL string }
	if err := json.Unmarshal(raw, &data); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(data.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("token")
}

func TestSignUpOverHTTP(t *testing.T) {
	t.Parallel()
	api := newAccounts(t)
	body, idem := newShop(), newKey()
	api.Do(t, "", "POST", "/v1/signup", body).WantProblem(400, "idempotency_key_required")
	api.Do(t, "", "POST", "/v1/signup", with(body, object{"email": nil, "password": nil}), idem).WantProblem(400, "invalid_request")
	api.Do(t, "", "POST", "/v1/signup", with(body, object{"store_address": "www"}), idem).WantProblem(422, "address_reserved")
	// What was refused can be put right under the same key.
	out := api.Do(t, "", "POST", "/v1/signup", body, idem).Want(201)
	if out.String("account.email") != body["email"] || out.String("store.state") != "active" || out.String("store.mode") != "live" ||
		out.String("shop_url") != "https://"+body["store_address"].(string)+".stoa.example" || !strings.HasPrefix(out.String("keys.live.secret"), "stoa_sk_live_") ||
		!strings.HasPrefix(out.String("keys.test.publishable"), "stoa_pk_test_") {
		t.Errorf("signed up: %s", out.Body)
	}
	session := cookie(t, out)
	again := api.Do(t, "", "POST", "/v1/signup", body, idem).Want(201)
	if again.Header.Get("Idempotent-Replayed") != "true" || again.String("keys.live.secret") != out.String("keys.live.secret") || again.Header.Get("Set-Cookie") != "" {
		t.Errorf("replayed: %v %s", again.Header, again.Body)
	}
	control(t, api, `update idempotency set secret_until = now() - interval '1 minute' where body::bytea is not null and position(convert_to($1, 'UTF8') in body) > 0`, out.String("store.id"))
	if late := api.Do(t, "", "POST", "/v1/signup", body, idem).Want(201); late.Get("keys.live.secret") != nil || late.String("store.id") != out.String("store.id") {
		t.Errorf("replayed late: %s", late.Body)
	}
	// The settings that the sign-up shows are the ones that are there.
	store := api.Do(t, out.String("keys.live.secret"), "GET", "/v1/store", nil).Want(200)
	shown := out.JSON()["store"].(map[string]any)
	for name, value := range store.JSON() {
		if was, _ := json.Marshal(shown[name]); string(was) != marshal(value) {
			t.Errorf("%s is shown as %s and is %s", name, was, marshal(value))
		}
	}
	if store.String("updated_at") < store.String("created_at") {
		t.Errorf("changed before it was made: %s", store.Body)
	}
	// A test key has a sandbox, born by its first use.
	if sandbox := api.Do(t, out.String("keys.test.secret"), "GET", "/v1/store", nil).Want(200); sandbox.String("mode") != "test" || sandbox.String("name") != "Linen & Co" {
		t.Errorf("the sandbox: %s", sandbox.Body)
	}

	// A known address is answered like a wrong sign-in, to the letter.
	known := api.Do(t, "", "POST", "/v1/signup", with(newShop(), object{"email": body["email"]}), newKey()).WantProblem(401, "invalid_credentials")
	wrong := api.Do(t, "", "POST", "/v1/session", object{"email": body["email"], "password": "not the password"}).WantProblem(401, "invalid_credentials")
	for _, field := range []string{"type", "title", "detail", "code"} {
		if known.String(field) != wrong.String(field) {
			t.Errorf("%s tells them apart: %q and %q", field, known.String(field), wrong.String(field))
		}
	}
	api.Do(t, "", "POST", "/v1/signup", with(newShop(), object{"password": "passwordpassword"}), newKey()).WantProblem(422, "password_too_common")
	api.Do(t, "", "POST", "/v1/signup", with(newShop(), object{"password": "too short"}), newKey()).WantProblem(400, "invalid_request")

	// Signed in, the same adds a store.
	api.Do(t, "", "POST", "/v1/signup", newShop(), newKey(), session).WantProblem(422, "already_signed_in")
	second := with(newShop(), object{"email": nil, "password": nil, "account_name": nil})
	added := api.Do(t, "", "POST", "/v1/signup", second, newKey(), session).Want(201)
	if added.String("account.id") != out.String("account.id") || added.Header.Get("Set-Cookie") != "" {
		t.Errorf("added: %v %s", added.Header, added.Body)
	}
	list := api.Do(t, "", "GET", "/v1/account/stores?limit=1", nil, session).Want(200)
	rest := api.Do(t, "", "GET", "/v1/account/stores?limit=1&cursor="+list.String("next_cursor"), nil, session).Want(200)
	if list.String("data.0.store_id") != out.String("store.id") || rest.String("data.0.store_id") != added.String("store.id") || rest.Get("has_more") != false ||
		list.String("data.0.role") != "owner" || !strings.Contains(string(list.Body), `"store:export"`) {
		t.Errorf("stores: %s %s", list.Body, rest.Body)
	}

	for address, reason := range map[string]any{body["store_address"].(string): "taken", "adm1n": "reserved", "a--b": "malformed", "quiet-harbour": nil} {
		answer := api.Do(t, "", "GET", "/v1/store-addresses/"+address, nil).Want(200)
		if answer.Get("reason") != reason || answer.Get("available") != (reason == nil) {
			t.Errorf("%s: %s", address, answer.Body)
		}
	}
}

func marshal(value any) string {
	raw, _ := json.Marshal(value)
	return string(raw)
}

// TestSessionsOverHTTP has a person act in stores, each with the role they have there.
func TestSessionsOverHTTP(t *testing.T) {
	t.Parallel()
	api := newAccounts(t)
	body := newShop()
	out := api.Do(t, "", "POST", "/v1/signup", body, newKey()).Want(201)
	other := api.Do(t, "", "POST", "/v1/signup", newShop(), newKey()).Want(201)
	credentials := object{"email": body["email"], "password": body["password"]}
	api.Do(t, "", "POST", "/v1/session", object{"email": body["email"]}).WantProblem(400, "invalid_request")
	signed := api.Do(t, "", "POST", "/v1/session", credentials, "User-Agent: test").Want(201)
	session := cookie(t, signed)
	got := api.Do(t, "", "GET", "/v1/session", nil, session).Want(200)
	if string(got.Body) != string(signed.Body) || got.String("stores.0.store_id") != out.String("store.id") || got.String("account.email") != body["email"] {
		t.Errorf("session: %s\nsigned in: %s", got.Body, signed.Body)
	}

	inStore := "Stoa-Store: " + out.String("store.id")
	api.Do(t, "", "GET", "/v1/store", nil, session).WantProblem(400, "store_required")
	if live := api.Do(t, "", "GET", "/v1/store", nil, session, inStore).Want(200); live.String("mode") != "live" {
		t.Errorf("live: %s", live.Body)
	}
	if sandbox := api.Do(t, "", "GET", "/v1/store", nil, session, inStore, "Stoa-Mode: test").Want(200); sandbox.String("mode") != "test" {
		t.Errorf("sandbox: %s", sandbox.Body)
	}
	api.Do(t, "", "GET", "/v1/store", nil, session, inStore, "Stoa-Mode: both").WantProblem(400, "invalid_request")
	for _, stranger := range []string{other.String("store.id"), ids.New("sto"), "nonsense"} {
		api.Do(t, "", "GET", "/v1/store", nil, session, "Stoa-Store: "+stranger).WantProblem(403, "not_a_member")
	}
	api.Do(t, "", "PATCH", "/v1/store", object{"name": "X"}, session, inStore, "Sec-Fetch-Site: cross-site").WantProblem(403, "cross_origin")
	api.Do(t, "", "GET", "/v1/session", nil, "Cookie: "+sessions.CookieName+"="+strings.Repeat("x", 43)).WantProblem(401, "invalid_session")
	api.Do(t, "", "GET", "/v1/session", nil).WantProblem(401, "missing_credential")

	elsewhere := cookie(t, api.Do(t, "", "POST", "/v1/session", credentials).Want(201))
	list := api.Do(t, "", "GET", "/v1/account/sessions?limit=2", nil, session).Want(200)
	if list.Get("data.0.current") != false || list.Get("data.1.current") != true || list.Get("has_more") != true || list.String("data.1.user_agent") != "test" {
		t.Errorf("sessions: %s", list.Body)
	}
	rest := api.Do(t, "", "GET", "/v1/account/sessions?limit=2&cursor="+list.String("next_cursor"), nil, session).Want(200)
	if rest.Get("has_more") != false || rest.Get("data.0.current") != false {
		t.Errorf("the rest: %s", rest.Body)
	}
	api.Do(t, "", "DELETE", "/v1/account/sessions/"+list.String("data.0.id"), nil, session).Want(204)
	api.Do(t, "", "DELETE", "/v1/account/sessions/"+list.String("data.0.id"), nil, session).WantProblem(404, "not_found")
	api.Do(t, "", "GET", "/v1/session", nil, elsewhere).WantProblem(401, "invalid_session")
	away := api.Do(t, "", "DELETE", "/v1/session", nil, session).Want(204)
	if !strings.Contains(away.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the cookie stays: %v", away.Header)
	}
	api.Do(t, "", "GET", "/v1/session", nil, session).WantProblem(401, "invalid_session")

	// Guessing is slowed down, and says for how long.
	var last *apitest.Answer
	for range 12 {
		last = api.Do(t, "", "POST", "/v1/session", object{"email": "nobody-" + body["email"].(string), "password": "a guess"})
	}
	if last.WantProblem(429, "rate_limited").Header.Get("Retry-After") == "" {
		t.Errorf("refused: %v", last.Header)
	}
}

func TestAccountOverHTTP(t *testing.T) {
	t.Parallel()
	api := newAccounts(t)
	body := newShop()
	email := body["email"].(string)
	session := cookie(t, api.Do(t, "", "POST", "/v1/signup", body, newKey()).Want(201))
	do := func(method, path string, body any, headers ...string) *apitest.Answer {
		t.Helper()
		return api.Do(t, "", method, path, body, append(headers, session)...)
	}
	got := do("GET", "/v1/account", nil).Want(200)
	tag := got.Header.Get("ETag")
	do("GET", "/v1/account", nil, "If-None-Match: "+tag).Want(304)
	if tried := do("PATCH", "/v1/account?dry_run=true", object{"name": "Grace"}).Want(200); tried.String("name") != "Grace" {
		t.Errorf("tried: %s", tried.Body)
	}
	if changed := do("PATCH", "/v1/account", object{"name": nil}, "If-Match: "+tag).Want(200); changed.Get("name") != nil {
		t.Errorf("changed: %s", changed.Body)
	}
	do("PATCH", "/v1/account", object{"name": "Late"}, "If-Match: "+tag).WantProblem(412, "stale")

	// The address is proven by the mail's token, from wherever it is read.
	do("POST", "/v1/account/email-verification", nil).Want(202)
	secret := object{"token": mailToken(t, api, email, mail.KindAccountVerifyEmail)}
	if proven := api.Do(t, "", "POST", "/v1/account/email-verification/confirm", secret, "Idempotency-Key: v").Want(200); proven.Get("email_verified") != true {
		t.Errorf("proven: %s", proven.Body)
	}
	api.Do(t, "", "POST", "/v1/account/email-verification/confirm", secret).WantProblem(422, "token_invalid")

	// Each change gives the session that asks another token, and ends the former one.
	next := func(answer *apitest.Answer) {
		t.Helper()
		former := session
		session = cookie(t, answer)
		api.Do(t, "", "GET", "/v1/account", nil, former).WantProblem(401, "invalid_session")
		do("GET", "/v1/account", nil).Want(200)
	}
	change := object{"current_password": accountPassword, "new_password": "copper thistle window raft"}
	do("POST", "/v1/account/password", with(change, object{"current_password": "wrong"}), "Idempotency-Key: p").WantProblem(401, "invalid_credentials")
	next(do("POST", "/v1/account/password", change, "Idempotency-Key: p").Want(204))

	do("POST", "/v1/account/email-change", object{"email": "new-" + email, "password": change["new_password"]}).Want(202)
	if pending := do("GET", "/v1/account", nil).Want(200); pending.String("pending_email") != "new-"+email {
		t.Errorf("pending: %s", pending.Body)
	}
	confirmed := do("POST", "/v1/account/email-change/confirm", object{"token": mailToken(t, api, "new-"+email, mail.KindEmailChangeConfirm)}).Want(200)
	if confirmed.String("email") != "new-"+email || confirmed.Get("pending_email") != nil {
		t.Errorf("confirmed: %s", confirmed.Body)
	}
	next(confirmed)
	email = "new-" + email

	// An authenticator.
	if left := 30 - time.Now().Unix()%30; left < 8 {
		time.Sleep(time.Duration(left) * time.Second)
	}
	proof := object{"password": change["new_password"]}
	do("POST", "/v1/account/recovery-codes", proof).WantProblem(409, "totp_not_enabled")
	enrolment := do("POST", "/v1/account/totp", proof).Want(200)
	code := func(steps int) string {
		code, err := totp.GenerateCode(enrolment.String("secret"), time.Now().Add(time.Duration(steps)*30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	do("POST", "/v1/account/totp/confirm", object{"code": "abcdef"}).WantProblem(400, "invalid_request")
	codes := do("POST", "/v1/account/totp/confirm", object{"code": code(-1)}, "Idempotency-Key: t").Want(200)
	if len(codes.Get("codes").([]any)) != 10 {
		t.Errorf("codes: %s", codes.Body)
	}
	next(codes)
	if on := do("GET", "/v1/account", nil).Want(200); on.Get("totp_enabled") != true {
		t.Errorf("with an authenticator: %s", on.Body)
	}
	credentials := object{"email": email, "password": change["new_password"]}
	api.Do(t, "", "POST", "/v1/session", credentials).WantProblem(401, "totp_required")
	api.Do(t, "", "POST", "/v1/session", with(credentials, object{"code": "aaaaa-aaaaa"})).WantProblem(401, "invalid_code")
	api.Do(t, "", "POST", "/v1/session", with(credentials, object{"code": code(0)})).Want(201)
	fresh := do("POST", "/v1/account/recovery-codes", proof).Want(200)
	next(fresh)

	// A forgotten password.
	began := time.Now()
	api.Do(t, "", "POST", "/v1/password-resets", object{"email": "nobody-" + email}, apitest.ChangesNothing).Want(202)
	unknown := time.Since(began)
	began = time.Now()
	api.Do(t, "", "POST", "/v1/password-resets", object{"email": email}, "Idempotency-Key: r").Want(202)
	if known := time.Since(began); unknown < 240*time.Millisecond || known < 240*time.Millisecond {
		t.Errorf("an unknown address takes %v, a known one %v", unknown, known)
	}
	reset := object{"token": mailToken(t, api, email, mail.KindPasswordReset), "password": "vq8 lamp", "code": fresh.String("codes.0")}
	api.Do(t, "", "POST", "/v1/password-resets/complete", with(reset, object{"code": nil})).WantProblem(401, "totp_required")
	api.Do(t, "", "POST", "/v1/password-resets/complete", reset, "Idempotency-Key: c").Want(204)
	api.Do(t, "", "POST", "/v1/password-resets/complete", reset, "Idempotency-Key: c").Want(204)
	api.Do(t, "", "GET", "/v1/account", nil, session).WantProblem(401, "invalid_session")
	session = cookie(t, api.Do(t, "", "POST", "/v1/session", object{"email": email, "password": "vq8 lamp", "code": fresh.String("codes.1")}).Want(201))
	remove := object{"password": "vq8 lamp", "code": fresh.String("codes.2")}
	do("POST", "/v1/account/totp/remove", remove).WantProblem(422, "password_invalid")
	next(do("POST", "/v1/account/password", object{"current_password": "vq8 lamp", "new_password": accountPassword}).Want(204))
	next(do("POST", "/v1/account/totp/remove", with(remove, object{"password": accountPassword})).Want(204))
	api.Do(t, "", "POST", "/v1/session", object{"email": email, "password": accountPassword}).Want(201)
}

// TestEndedSessionsAreLogged has a session end with the change of its account's credentials:
// what is asked with it still stands in the log of the store that it names.
func TestEndedSessionsAreLogged(t *testing.T) {
	t.Parallel()
	api := newAccounts(t)
	recorder := newRecorder(t, api.Platform)
	api.Recorder = recorder
	out := api.Do(t, "", "POST", "/v1/signup", newShop(), newKey()).Want(201)
	session, inStore := cookie(t, out), "Stoa-Store: "+out.String("store.id")
	control(t, api, `update accounts set epoch = epoch + 1 where id = $1`, out.String("account.id"))
	var refused *apitest.Answer
	for deadline := time.Now().Add(30 * time.Second); refused == nil || refused.Status != 401; time.Sleep(50 * time.Millisecond) {
		if refused = api.Do(t, "", "GET", "/v1/store", nil, session, inStore); time.Now().After(deadline) {
			t.Fatalf("the session goes on: %s", refused.Body)
		}
	}
	recorder.Flush(t.Context())
	var code, by string
	err := api.Platform.DB.InCell(t.Context(), api.Platform.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select code, actor_id from cell.requests where id = $1`, refused.ID).Scan(&code, &by)
	})
	if err != nil || code != "invalid_session" || by != out.String("account.id") {
		t.Errorf("logged: %s by %s (%v)", code, by, err)
	}
}

// TestOwnersLifeOverHTTP has an owner delete a store and restore it, by a real session.
func TestOwnersLifeOverHTTP(t *testing.T) {
	t.Parallel()
	api := newAccounts(t)
	body := newShop()
	out := api.Do(t, "", "POST", "/v1/signup", body, newKey()).Want(201)
	session, inStore := cookie(t, out), "Stoa-Store: "+out.String("store.id")
	api.Do(t, "", "DELETE", "/v1/store?confirm="+body["store_address"].(string), nil, session, inStore).Want(200)
	api.Do(t, "", "GET", "/v1/store", nil, session, inStore).WantProblem(404, "not_found")
	api.Do(t, out.String("keys.live.secret"), "GET", "/v1/store", nil).WantProblem(404, "not_found")
	if list := api.Do(t, "", "GET", "/v1/account/stores", nil, session).Want(200); list.String("data.0.state") != "deleted" {
		t.Errorf("stores: %s", list.Body)
	}
	api.Do(t, "", "POST", "/v1/signup", with(newShop(), object{"store_address": body["store_address"]}), newKey()).WantProblem(409, "address_taken")
	api.Do(t, "", "POST", "/v1/store/restore", nil, session, inStore).Want(200)
	api.Do(t, out.String("keys.live.secret"), "GET", "/v1/store", nil).Want(200)
}
