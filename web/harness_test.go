package web_test

import (
	"bytes"
	"context"
	"html"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/exports"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/privacy"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/redis"
	"github.com/stoacommerce/stoa/platform/redis/redistest"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/platform/typeset"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/credentials"
	"github.com/stoacommerce/stoa/tenants/domains"
	"github.com/stoacommerce/stoa/tenants/keys"
	"github.com/stoacommerce/stoa/tenants/mailbox"
	"github.com/stoacommerce/stoa/tenants/members"
	"github.com/stoacommerce/stoa/tenants/operators"
	"github.com/stoacommerce/stoa/tenants/requestlog"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/web"
	"github.com/stoacommerce/stoa/web/admin"
	"github.com/stoacommerce/stoa/web/media"
	"github.com/stoacommerce/stoa/web/page"
	"github.com/stoacommerce/stoa/web/site"
	"github.com/stoacommerce/stoa/web/storefront"
)

var quiet = slog.New(slog.DiscardHandler)

// house is all that is seen in a browser, on a platform that the tests share.
type house struct {
	*testdb.Platform
	db        *postgres.DB
	stores    *stores.Service
	catalog   *catalog.Service
	pictures  *catalog.Pictures
	orders    *orders.Service
	documents *documents.Service
	people    *accounts.Service
	members   *members.Service
	links     *storefront.Links
	domains   *domains.Service
	mailbox   *mailbox.Service
	server    *httpserver.Server
}

// domain is the platform's own host in tests.
const domain = "stoa.example"

func open(t testing.TB) *house {
	t.Helper()
	return openAt(t, &url.URL{Scheme: "https", Host: domain}, httpserver.Config{})
}

func openAt(t testing.TB, public *url.URL, serving httpserver.Config) *house {
	t.Helper()
	p, client := testdb.Open(t), redistest.Client(t)
	h := &house{Platform: p}
	bus := redis.OpenBus(client)
	t.Cleanup(bus.Close)
	if err := bus.WaitAlive(t.Context()); err != nil {
		t.Fatal(err)
	}
	config := p.Config
	config.Committed = func(tx *postgres.Tx) { h.stores.Committed(tx) }
	var err error
	if h.db, err = postgres.Open(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	h.stores = stores.New(stores.Config{DB: h.db, Maker: p.Runner, Bus: bus, Log: quiet})
	disk, err := files.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: h.db}, "platform")
	if err != nil {
		t.Fatal(err)
	}
	storeURL := func(label string) *url.URL {
		return &url.URL{Scheme: public.Scheme, Host: label + "." + public.Host, Path: "/"}
	}
	shopURL := func(store *tenants.Store) string {
		if store.Domain != "" {
			return public.Scheme + "://" + store.Domain
		}
		return strings.TrimSuffix(storeURL(stores.HostLabel(store.Address, store.Ref.Mode == principal.Test)).String(), "/")
	}
	limiter := &page.Limiter{Limits: limits.New(client, limits.Hooks{}, quiet), Strict: limits.StrictRules()}
	h.catalog, h.pictures = catalog.New(catalog.Unlimited{}), &catalog.Pictures{Files: disk, Processor: images.New(images.Options{})}
	h.links = &storefront.Links{ShopURL: shopURL, Stores: h.stores, Pepper: pepper.Derive("links")}
	hasher, err := passwords.NewHasher(4)
	if err != nil {
		t.Fatal(err)
	}
	guarded := guard.New(client, guard.Usual(), quiet)
	carts, providers := cart.New(h.db), payments.Providers{payments.TestName: &payments.Test{DB: h.db}, payments.ManualName: payments.ByHand{}}
	h.orders = &orders.Service{DB: h.db, Providers: providers, Log: quiet}
	fonts, err := typeset.OpenFonts("")
	if err != nil {
		t.Fatal(err)
	}
	h.documents = &documents.Service{DB: h.db, Fonts: fonts}
	shop := storefront.New(storefront.Config{
		Speller: search.NewSpeller(h.db), Counter: search.NewCounter(h.db),
		DB: h.db, Carts: carts, Customers: &customers.Service{DB: h.db, Hasher: hasher, Guard: guarded}, Orders: h.orders, Documents: h.documents, Links: h.links,
		Privacy:  &privacy.Service{DB: h.db, Sealer: h.Ring, People: &requestlog.People{Pepper: pepper}, Withdraw: exports.New(h.db, operations.New(h.db), nil, exports.Config{}).Withdraw},
		Editions: catalog.NewEditions(h.db), Media: &media.Handler{Files: disk, Log: quiet}, Limiter: limiter, Log: quiet, Editor: "https://" + public.Host,
		Checkout: &checkout.Service{DB: h.db, Carts: carts, Providers: providers, Log: quiet},
		AcceptsOrders: func(_ context.Context, store *tenants.Store) (bool, error) {
			return store.Ref.Mode == principal.Test || store.Demo || store.OwnerVerified, nil
		},
	})
	own := h.site(t, client, bus, pepper.Derive, public, storeURL, limiter, hasher, guarded)
	h.domains = domains.New(domains.Config{
		DB: h.db, Stores: h.stores, Bus: bus, Sealer: h.Ring, Pepper: pepper.Derive("domains"), Log: quiet,
		BaseDomain: public.Hostname(), Local: true, Limit: func(string) *int { return nil }, Site: public,
	})
	hosts := &web.Hosts{
		BaseDomain: public.Hostname(), Scheme: public.Scheme, ShopURL: shopURL, Stores: h.stores, Domains: h.domains, Shop: shop, Site: own, Log: quiet,
		API: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
	}
	h.server = httpserver.New(serving, hosts, httpserver.Hooks{Log: quiet})
	return h
}

func (h *house) site(t testing.TB, client *redis.Client, bus *redis.Bus, derive func(string) secrets.Pepper, public *url.URL, storeURL func(string) *url.URL, limiter *page.Limiter, hasher *passwords.Hasher, guarded *guard.Guard) *site.Site {
	t.Helper()
	signed := sessions.New(client, sessions.Config{})
	enforcer, err := access.New()
	if err != nil {
		t.Fatal(err)
	}
	issuer := keys.New(keys.Config{DB: h.db, Stores: h.stores, Access: enforcer, Pepper: derive("keys"), Bus: bus, Log: quiet})
	h.people = accounts.New(accounts.Config{
		DB: h.db, Stores: h.stores, Keys: issuer, Sessions: signed, Guard: guarded, Hasher: hasher,
		Bus: bus, Sealer: h.Ring, Pepper: derive("codes"), Site: public, Log: quiet,
	})
	h.mailbox = mailbox.New(h.db)
	h.members = members.New(members.Config{
		DB: h.db, Stores: h.stores, Accounts: h.people, Access: enforcer, Site: public, Log: quiet, Limit: func(string) *int { return nil },
	})
	own, err := site.New(site.Config{
		DB: h.db, Accounts: h.people, Members: h.members, Stores: h.stores, Mailbox: h.mailbox, Admin: admin.New(public), Limiter: limiter, Log: quiet, PublicURL: public, StoreURL: storeURL,
		Sessions: &credentials.Authenticator{
			Sessions: signed, Accounts: h.people, Stores: h.stores, Keys: issuer, Operators: &operators.Service{DB: h.db, Pepper: derive("operators")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// mailed is the address that the latest mail of a kind to somebody leads to.
func (h *house) mailed(t testing.TB, kind mail.Kind, to string) string {
	t.Helper()
	var address string
	err := h.db.InControl(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select coalesce(args->'data'->>'url', args->'data'->>'reset_url', args::text) from outbox
			where kind = $1 and args->>'kind' = $2 and lower(args->>'to') = lower($3) order by id desc limit 1`, mail.JobSend, string(kind), to).Scan(&address)
	})
	if err != nil {
		t.Fatalf("mail %s to %s: %v", kind, to, err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

// shop is a store with a shop, and the first label of its host.
type shop struct {
	*shoptest.Shop
	h     *house
	label string
}

// shop opens a demo store, in which the test provider pays.
func (h *house) shop(t testing.TB) *shop {
	t.Helper()
	ctx := h.Store(t)
	ref, _ := postgres.StoreFrom(ctx)
	s := &shop{h: h}
	err := h.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `update stores set demo = true where id = $1 returning address`, ref.ID).Scan(&s.label)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Shop = shoptest.In(t, h.db, ctx)
	return s
}

// product puts a product on the shelf; change may say more of it.
func (s *shop) product(t testing.TB, title string, change func(*catalog.ProductInput)) catalog.ProductID {
	t.Helper()
	v := catalog.NewVariant()
	v.Prices, v.Stock = []catalog.Price{{Amount: 2500, Currency: "EUR"}, {Amount: 2900, Currency: "USD"}}, 10
	in := catalog.ProductInput{Title: title, Status: catalog.Active, Variants: []catalog.VariantInput{v}}
	if change != nil {
		change(&in)
	}
	var id catalog.ProductID
	err := s.h.db.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		id, err = s.h.catalog.CreateProduct(ctx, tx, in)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// browser is somebody who looks at one host, without JavaScript.
type browser struct {
	t      testing.TB
	h      *house
	host   string
	jar    map[string]*http.Cookie
	header http.Header

	address string // that it comes from
	plain   bool   // it asks without TLS
}

// visitor looks at a host: a label of a shop, or "" for the platform's own.
func (h *house) visitor(t testing.TB, label string) *browser {
	host := domain
	if label != "" {
		host = label + "." + domain
	}
	return &browser{t: t, h: h, host: host, jar: map[string]*http.Cookie{}, header: http.Header{}, address: "192.0.2.7:4711"}
}

// answer is what a browser was answered.
type answer struct {
	*httptest.ResponseRecorder
	t    testing.TB
	path string
}

func (b *browser) get(path string) *answer {
	b.t.Helper()
	return b.send(httptest.NewRequest(http.MethodGet, "https://"+b.host+path, nil), path)
}

// post sends a form as a browser does from a page of the same host.
func (b *browser) post(path string, values url.Values) *answer {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "https://"+b.host+path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://"+b.host)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r, path)
}

func (b *browser) send(r *http.Request, path string) *answer {
	b.t.Helper()
	r.RemoteAddr = b.address
	if b.plain {
		r.TLS = nil
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	for _, c := range b.jar {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	w := httptest.NewRecorder()
	b.h.server.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if strings.HasPrefix(c.Name, "__Host-") && (!c.Secure || c.Path != "/" || c.Domain != "") {
			b.t.Errorf("%s: no browser takes the cookie %s", path, c)
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			b.t.Errorf("%s: cookie %s is not guarded", path, c)
		}
		if b.jar[c.Name] = c; c.MaxAge < 0 {
			delete(b.jar, c.Name)
		}
	}
	return &answer{w, b.t, path}
}

// follow sends a form and goes where it leads.
func (b *browser) follow(path string, values url.Values) *answer {
	b.t.Helper()
	a := b.post(path, values).status(http.StatusSeeOther)
	return b.get(a.leadsTo())
}

func (a *answer) status(want int) *answer {
	a.t.Helper()
	if a.Code != want {
		a.t.Fatalf("%s answered %d, want %d: %s", a.path, a.Code, want, a.text())
	}
	return a
}

// leadsTo is where a redirect leads, without the fragment that no server sees.
func (a *answer) leadsTo() string {
	path, _, _ := strings.Cut(a.Header().Get("Location"), "#")
	return path
}

// page is the answer's body, unescaped so far that texts can be looked for.
func (a *answer) page() string {
	return strings.ReplaceAll(html.UnescapeString(a.Body.String()), "\u00a0", " ")
}

func (a *answer) says(texts ...string) *answer {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.page(), text) {
			a.t.Fatalf("%s does not say %q: %s", a.path, text, a.text())
		}
	}
	return a
}

func (a *answer) lacks(texts ...string) *answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.page(), text) {
			a.t.Fatalf("%s says %q: %s", a.path, text, a.text())
		}
	}
	return a
}

var (
	tags   = regexp.MustCompile(`(?s)<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// text is the answer without its markup, for messages.
func (a *answer) text() string {
	text := spaces.ReplaceAllString(tags.ReplaceAllString(a.Body.String(), " "), " ")
	if len(text) > 1500 {
		text = text[:1500] + "…"
	}
	return text
}

// find is the first group of a pattern in the answer.
func (a *answer) find(pattern string) string {
	a.t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(a.Body.String())
	if found == nil {
		a.t.Fatalf("%s holds no %s: %s", a.path, pattern, a.text())
	}
	return html.UnescapeString(found[1])
}

// hidden are the hidden fields of the answer's last form that has some.
func (a *answer) hidden() url.Values {
	values := url.Values{}
	for _, field := range regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(a.Body.String(), -1) {
		values.Set(field[1], html.UnescapeString(field[2]))
	}
	return values
}

// dot is a picture.
func dot(t testing.TB) io.Reader {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 600, 750))); err != nil {
		t.Fatal(err)
	}
	return &b
}
