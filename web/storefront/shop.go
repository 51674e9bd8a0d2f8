package storefront

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/privacy"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/platform/cache"
	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/locales"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/web/page"
)

// Config is what the shop is made of. Media, Looked and Observer may be nil.
type Config struct {
	DB        *postgres.DB
	Carts     *cart.Service
	Checkout  *checkout.Service
	Customers *customers.Service
	Orders    *orders.Service
	Documents *documents.Service
	Privacy   *privacy.Service
	Links     *Links
	Editions  *catalog.Editions
	Speller   *search.Speller // corrects what is looked for and not found; nil corrects nothing
	Counter   *search.Counter // counts what is looked for; nil counts nothing
	Media     http.Handler    // serves /media/…
	Limiter   *page.Limiter
	Log       *slog.Logger

	// AcceptsOrders says whether carts of the store can be completed.
	AcceptsOrders func(ctx context.Context, store *tenants.Store) (bool, error)
	// Editor is the origin of the back office, which may show previews in a frame of its own;
	// nobody may when it is empty.
	Editor string
	// Beside has the replicas share their pages; nil does not.
	Beside *cache.Shared
	// Visited is told how far a visitor came; it may be nil.
	Visited func(ctx context.Context, step analytics.Step)
	// Looked is told each look-up of a kept page, for metrics.
	Looked func(hit bool)
	// Observer gives what counts the requests of a page by its name.
	Observer func(pageName string) httpserver.Observer
}

// Shop serves the shops of all stores.
type Shop struct {
	config  Config
	mux     *http.ServeMux
	pages   *cache.Cache[*page.Rendered]
	frames  *cache.Cache[*frame]
	foreign *http.CrossOriginProtection

	sitemaps *cache.Cache[*page.Asset]
}

// How long and how much of what is the same for all is kept: a page may be behind by so
// much where nothing tells of a change.
const (
	pageLife     = 30 * time.Second
	pageBytes    = 64 << 20
	sitemapBytes = 16 << 20
)

// New makes the shop.
func New(config Config) *Shop {
	s := &Shop{
		config: config, mux: http.NewServeMux(),
		pages:    cache.New[*page.Rendered](pageLife, pageBytes),
		frames:   cache.New[*frame](frameLife, frameBytes),
		foreign:  http.NewCrossOriginProtection(),
		sitemaps: cache.New[*page.Asset](pageLife, sitemapBytes),
	}
	s.pages.Looked = config.Looked
	s.pages.Beside, s.pages.Write, s.pages.Read = config.Beside, (*page.Rendered).Write, page.Read
	s.routes()
	return s
}

// A visit is one request to a shop.
type visit struct {
	*frame
	shop  *Shop
	store tenants.Store
	w     http.ResponseWriter
	r     *http.Request

	bought bool // the request has placed an order
}

type visitKey struct{}

func (s *Shop) routes() {
	s.page("GET /{$}", "home", (*visit).home)
	s.page("GET /products", "products", (*visit).products)
	s.page("GET /products/{handle}", "product", (*visit).productPage)
	s.page("GET /categories/{handle}", "category", (*visit).category)
	s.page("GET /collections/{handle}", "collection", (*visit).collection)
	s.page("GET /pages/{handle}", "page", (*visit).pageOf)
	s.page("GET /blog", "blog", (*visit).blog)
	s.page("GET "+feedPath, "feed", (*visit).feed)
	s.page("GET /blog/{handle}", "post", (*visit).post)
	s.page("GET /search", "search", (*visit).search)
	s.page("GET /search/suggestions", "suggest", (*visit).suggest)
	s.page("GET /cart", "cart", (*visit).cartPage)
	s.page("GET /cart/count", "cart.count", (*visit).cartCount)
	s.page("GET /cart/recover/{cart}", "cart.recover", (*visit).recoverCart)
	s.page("POST /cart/lines", "cart.put", (*visit).put)
	s.page("POST /cart/lines/{line}", "cart.change", (*visit).setLine)
	s.page("POST /cart/lines/{line}/remove", "cart.remove", (*visit).removeLine)
	s.strict("POST /cart/codes", "cart.code", limits.Code, (*visit).addCode)
	s.page("POST /cart/codes/remove", "cart.uncode", (*visit).removeCode)
	s.page("GET /pay/{draft}", "checkout.draft", (*visit).payDraft)
	s.page("POST /cart/gift-cards/remove", "cart.uncard", (*visit).removeGiftCard)
	s.page("GET /checkout", "checkout", (*visit).checkoutPage)
	s.page("POST /checkout/contact", "checkout.contact", (*visit).setContact)
	s.page("POST /checkout/shipping", "checkout.shipping", (*visit).setShipping)
	s.page("POST /checkout/store-credit", "checkout.credit", (*visit).useStoreCredit)
	s.strict("POST /checkout/pay", "checkout.pay", limits.Payment, (*visit).pay)
	s.page("GET /checkout/return", "checkout.return", (*visit).comeBack)
	s.page("POST /checkout/abandon", "checkout.abandon", (*visit).abandon)
	s.page("GET /checkout/test/{payment}", "checkout.test", (*visit).testStep)
	s.page("POST /checkout/test/{payment}", "checkout.test", (*visit).takeTestStep)
	s.page("GET /orders/{order}", "order", (*visit).orderPage)
	s.page("GET /orders/{order}/documents/{document}", "order.document", (*visit).orderDocument)
	s.strict("POST /orders/{order}/payments", "order.pay", limits.Payment, (*visit).payRest)
	s.page("GET /orders/{order}/return", "order.return", (*visit).backToOrder)
	s.page("POST /orders/{order}/abandon", "order.abandon", (*visit).abandonRest)
	s.page("GET /orders/{order}/returns", "order.returns", (*visit).returnForm)
	s.page("POST /orders/{order}/returns", "order.returns.ask", (*visit).askReturn)
	s.page("GET /account", "account", (*visit).account)
	s.page("GET /account/details", "account.details", (*visit).detailsForm)
	s.page("POST /account/details", "account.change", (*visit).setDetails)
	s.page("GET /account/data", "account.data", (*visit).personalData)
	s.page("GET /account/data/file", "account.data.file", (*visit).takeData)
	s.strict("POST /account/data/erase", "account.erase", limits.Auth, (*visit).eraseMe)
	s.page("GET /account/reviews", "reviews.own", (*visit).ownReviews)
	s.page("GET /account/reviews/{review}", "reviews.one", (*visit).reviewForm)
	s.page("POST /account/reviews/{review}", "reviews.change", (*visit).changeReview)
	s.page("POST /account/reviews/{review}/delete", "reviews.delete", (*visit).deleteReview)
	s.page("GET /products/{handle}/reviews", "reviews", (*visit).reviewsPage)
	s.page("POST /products/{handle}/reviews", "reviews.write", (*visit).writeReview)
	s.page("GET /wishlists/{share}", "wishlist.shared", (*visit).sharedWishlist)
	s.page("GET /account/wishlists", "wishlists", (*visit).wishlistsPage)
	s.page("POST /account/wishlists", "wishlists.create", (*visit).createWishlist)
	s.page("POST /account/wishlists/items", "wishlists.add", (*visit).wish)
	s.page("POST /account/wishlists/{list}/remove", "wishlists.remove", (*visit).unwish)
	s.page("POST /account/wishlists/{list}/share", "wishlists.share", (*visit).shareWishlist)
	s.page("POST /account/wishlists/{list}/delete", "wishlists.delete", (*visit).deleteWishlist)
	s.page("GET /newsletter", "newsletter", (*visit).newsletterForm)
	s.strict("POST /newsletter", "newsletter.send", limits.Forgot, (*visit).subscribe)
	s.page("GET /newsletter/confirm", "newsletter.confirm", (*visit).confirmNewsletterForm)
	s.strict("POST /newsletter/confirm", "newsletter.confirm.send", limits.Auth, (*visit).confirmNewsletter)
	s.page("GET /unsubscribe/{id}", "unsubscribe", (*visit).unsubscribeForm)
	s.page("POST /unsubscribe/{id}", "unsubscribe.send", (*visit).unsubscribe)
	s.page("GET /contact", "contact", (*visit).contactForm)
	s.strict("POST /contact", "contact.send", limits.Forgot, (*visit).writeToShop)
	s.page("GET /withdraw", "withdraw", (*visit).withdrawForm)
	s.strict("POST /withdraw", "withdraw.send", limits.Forgot, (*visit).withdraw)
	s.page("GET /find-order", "find-order", (*visit).findOrderForm)
	s.strict("POST /find-order", "find-order.send", limits.Forgot, (*visit).findOrder)
	s.page("GET /account/addresses", "account.addresses", (*visit).addressBook)
	s.page("GET /account/addresses/{entry}", "account.address", (*visit).entryForm)
	s.page("POST /account/addresses/{entry}", "account.address.set", (*visit).setEntry)
	s.page("POST /account/addresses/{entry}/remove", "account.address.remove", (*visit).removeEntry)
	s.page("GET /account/email", "account.email", (*visit).emailForm)
	s.strict("POST /account/email", "account.email.send", limits.Auth, (*visit).changeEmail)
	s.page("GET /account/email/confirm", "account.email.confirm", (*visit).confirmEmailForm)
	s.strict("POST /account/email/confirm", "account.email.confirm.send", limits.Auth, (*visit).confirmEmail)
	s.page("GET /account/register", "register", (*visit).registerForm)
	s.strict("POST /account/register", "register.send", limits.Signup, (*visit).register)
	s.page("GET /account/verify", "verify", (*visit).verifyForm)
	s.strict("POST /account/verify", "verify.send", limits.Auth, (*visit).verify)
	s.page("GET /account/sign-in", "signin", (*visit).signInForm)
	s.strict("POST /account/sign-in", "signin.send", limits.Auth, (*visit).signIn)
	s.page("GET /account/forgot-password", "forgot", (*visit).forgotForm)
	s.strict("POST /account/forgot-password", "forgot.send", limits.Forgot, (*visit).forgot)
	s.page("GET /account/reset-password", "reset", (*visit).resetForm)
	s.strict("POST /account/reset-password", "reset.send", limits.Auth, (*visit).reset)
	s.page("POST /account/sign-out", "signout", (*visit).signOut)
	s.strict("POST /stock-alerts", "stock-alert", limits.Forgot, (*visit).askAlert)
	s.page("GET /stock-alerts/{alert}/{step}", "stock-alert.step", (*visit).alertForm)
	s.page("POST /stock-alerts/{alert}/{step}", "stock-alert.take", (*visit).takeAlert)
	s.strict("POST /password", "door", limits.Auth, (*visit).enter)
	s.page("GET /robots.txt", "robots", (*visit).robots)
	s.page("GET /sitemap.xml", "sitemap", (*visit).sitemap)
	s.page("/", "missing", func(v *visit) error { return v.rest() })
	if s.config.Media != nil {
		s.page("GET /media/", "media", func(v *visit) error {
			s.config.Media.ServeHTTP(v.w, v.r)
			return nil
		})
	}
}

// page mounts a page, whose errors become pages of their own.
func (s *Shop) page(pattern, name string, serve func(*visit) error) {
	s.strict(pattern, name, page.Ordinary, serve)
}

// strict mounts a page that has a limit of its own beside that of an address.
func (s *Shop) strict(pattern, name, class string, serve func(*visit) error) {
	var observer httpserver.Observer
	if s.config.Observer != nil {
		observer = s.config.Observer("page." + name)
	}
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v := r.Context().Value(visitKey{}).(*visit)
		v.w, v.r = w, r
		x := httpserver.From(r.Context())
		x.Operation, x.Observer = "page."+name, observer
		if v.admitted() {
			return
		}
		if !always(name) && !v.lawful(name) && !v.enters() {
			if err := v.closedDoor(); err != nil {
				v.failed(err)
			}
			return
		}
		var err error
		// What comes from the cache costs nothing. What a browser can ask for without end, and
		// each time anew, is counted.
		if r.Method == http.MethodPost || name == "search" || name == "suggest" {
			err = s.config.Limiter.Take(r.Context(), class, v.store.ID)
		}
		if err == nil {
			err = serve(v)
		}
		if err != nil {
			v.failed(err)
			return
		}
		v.visited(name)
	})
}

// steps are how far visitors have come who see a page.
var steps = map[string]analytics.Step{
	"home": analytics.Visited, "page": analytics.Visited, "blog": analytics.Visited, "post": analytics.Visited, "products": analytics.Visited, "category": analytics.Visited, "collection": analytics.Visited, "search": analytics.Visited, "cart": analytics.Visited,
	"product": analytics.ViewedProduct, "cart.put": analytics.AddedToCart,
	"checkout": analytics.ReachedCheckout, "checkout.contact": analytics.ReachedCheckout, "checkout.shipping": analytics.ReachedCheckout,
}

// visited counts the visitor.
func (v *visit) visited(name string) {
	step, counts := steps[name]
	if v.bought {
		step, counts = analytics.Completed, true
	}
	if told := v.shop.config.Visited; counts && told != nil && v.preview == "" {
		told(v.r.Context(), step)
	}
}

// Serve answers a request to the shop of a store.
func (s *Shop) Serve(w http.ResponseWriter, r *http.Request, store tenants.Store) {
	ctx := s.enter(r.Context(), store)
	v := &visit{shop: s, store: store, w: w, r: r.WithContext(ctx)}
	preview, over := v.previewed()
	if preview != "" {
		v.w = unkept{w, s.config.Editor}
	}
	set, err := s.config.Editions.Locales(ctx, &store)
	var frame *frame
	if err == nil {
		locale := v.within(set)
		frame, err = s.frame(ctx, store, locale, set.Chain(locale), preview)
	}
	if err != nil {
		s.config.Log.ErrorContext(ctx, "a shop's frame cannot be read", "error", err)
		page.Plain(w, r, http.StatusServiceUnavailable, "This shop cannot be reached at the moment", "Please try again in a moment.")
		return
	}
	v.frame = frame
	if store.Status == tenants.Suspended {
		if !v.asset() { // which the closed page has, too
			v.closed()
		}
		return
	}
	if over && v.enters() {
		v.message(http.StatusGone, "This preview is over", "Ask for another link in the back office.", false)
		return
	}
	if err := s.foreign.Check(r); err != nil {
		v.message(http.StatusForbidden, "This form came from elsewhere", "For your safety, forms are only taken from the shop's own pages. Go back and try again.", false)
		return
	}
	s.mux.ServeHTTP(v.w, v.r.WithContext(context.WithValue(ctx, visitKey{}, v)))
}

// within is the locale that the address begins with, which is taken off for all that follows;
// the store's own where it begins with none.
func (v *visit) within(set *locales.Set) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(v.r.URL.Path, "/"), "/")
	if !slices.Contains(set.Names()[1:], first) {
		return set.Default()
	}
	address := *v.r.URL
	cut(&address, "/"+first)
	v.r.URL = &address
	return first
}

// see sends the browser to another page, in the same locale.
func (v *visit) see(path string) { page.SeeOther(v.w, v.prefix+path) }

// enter names the store and the shopper for everything that follows.
func (s *Shop) enter(ctx context.Context, store tenants.Store) context.Context {
	x := httpserver.From(ctx)
	x.Store, x.Plan = store.ID, store.Plan
	ip := ""
	if x.Client.Addr.IsValid() {
		ip = x.Client.Addr.String()
	}
	ctx = principal.With(ctx, principal.Principal{
		Kind: principal.Anonymous, Label: "shopper", StoreID: store.ID, Mode: store.Ref.Mode, Plan: store.Plan, IP: ip, RequestID: x.ID,
	})
	return postgres.WithStore(ctx, store.Ref)
}

// view begins a page.
func (v *visit) view(title, path string) *view {
	return &view{
		frame: v.frame, words: wordsFor(v.locale), Title: title, Path: path, Base: v.base(), Currency: v.currency(), Outside: !v.enters(),
	}
}

// base is the shop's own address, without a path.
func (v *visit) base() string { return v.config().Links.Base(v.store) }

// currency is the one that prices are shown in: as the address says, else the main one.
func (v *visit) currency() string {
	asked := v.r.URL.Query().Get("currency")
	for _, code := range v.settings.Currencies {
		if code == asked {
			return code
		}
	}
	return v.settings.Currency
}

// failed answers with a page that says what went wrong, as far as it may be told.
func (v *visit) failed(err error) {
	p := problem.As(err)
	switch {
	case p != nil && p.Kind == problem.NotFound:
		v.missing()
	case p != nil && p.Kind == problem.Limited:
		v.w.Header().Set("Retry-After", retryAfter(p.RetryAfter))
		v.message(http.StatusTooManyRequests, "One moment, please", "There were too many requests from your network. Please wait a little and try again.", false)
	case p != nil && (p.Kind == problem.Unavailable || p.Kind == problem.DeadlineExceeded):
		v.config().Log.WarnContext(v.r.Context(), "a page could not be made", "error", err)
		v.w.Header().Set("Retry-After", retryAfter(p.RetryAfter))
		v.message(http.StatusServiceUnavailable, "This shop cannot be reached at the moment", "Please try again in a moment.", false)
	case p != nil && p.Kind != problem.Internal:
		v.message(int(p.Kind), "That did not work", p.Detail, false)
	case errors.Is(err, context.Canceled):
		v.w.WriteHeader(499) // the visitor is gone; nobody reads this
	default:
		v.config().Log.ErrorContext(v.r.Context(), "a page failed", "error", err)
		v.message(http.StatusInternalServerError, "Something went wrong on our side", "It has been noted. Please try again in a moment.", false)
	}
}

func (v *visit) config() *Config { return &v.shop.config }

func retryAfter(d time.Duration) string {
	return seconds(max(d, time.Second))
}

// message answers with a page that says one thing. Heading and text are translated.
func (v *visit) message(status int, heading, text string, search bool) {
	view := v.view("", "")
	view.Alone, view.Title = true, view.T(heading)
	if err := page.Personal(v.w, v.r, status, message(view, view.T(heading), view.T(text), search)); err != nil {
		v.config().Log.ErrorContext(v.r.Context(), "a message failed", "error", err)
	}
}

func (v *visit) missing() {
	v.message(http.StatusNotFound, "This page is not here", "What you followed may have moved or sold out. Perhaps you find it by searching.", true)
}

// closed is the shop of a suspended store.
func (v *visit) closed() {
	httpserver.From(v.r.Context()).Operation = "page.closed"
	v.w.Header().Set("Retry-After", "3600")
	view := v.view("", "")
	view.Alone, view.Title = true, view.T("This shop is closed at the moment")
	if err := page.Personal(v.w, v.r, http.StatusServiceUnavailable, closed(view)); err != nil {
		v.config().Log.ErrorContext(v.r.Context(), "the closed page failed", "error", err)
	}
}

// rest serves what bears its digest in its name, and says of everything else that it is
// not here.
func (v *visit) rest() error {
	switch {
	case v.asset():
	case !v.enters():
		return v.closedDoor()
	default:
		v.missing()
	}
	return nil
}

// asset serves the stylesheet, the script and the icon; it says whether the request was for one.
func (v *visit) asset() bool {
	path := v.r.URL.Path
	asset := v.theme
	switch {
	case v.r.Method != http.MethodGet && v.r.Method != http.MethodHead:
		return false
	case strings.HasPrefix(path, "/theme.") && strings.HasSuffix(path, ".css"):
	case strings.HasPrefix(path, "/shop.") && strings.HasSuffix(path, ".js"):
		asset = script
	case strings.HasPrefix(path, "/preview.") && strings.HasSuffix(path, ".js"):
		asset = previewScript
	case strings.HasPrefix(path, "/favicon."):
		asset = v.frame.icon
	default:
		return false
	}
	httpserver.From(v.r.Context()).Operation = "page.asset"
	asset.ServeHTTP(v.w, v.r)
	return true
}

// robots keeps search engines from what is for one shopper, and from sandboxes.
func (v *visit) robots() error {
	text := "Sitemap: " + v.base() + "/sitemap.xml\n\nUser-agent: *\n"
	for i, locale := range v.settings.Locales {
		prefix := ""
		if i > 0 {
			prefix = "/" + locale
		}
		for _, path := range []string{"/cart/", "/checkout", "/pay", "/orders", "/account", "/search"} {
			text += "Disallow: " + prefix + path + "\n"
		}
	}
	if v.sandbox || v.access.Closed() {
		text = "User-agent: *\nDisallow: /\n"
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	v.w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = v.w.Write([]byte(text)) // a client that left cannot be told
	return nil
}

// edition is that of what shoppers see of the store now.
func (v *visit) edition() string { return v.config().Editions.Of(v.r.Context(), &v.store) }

// readerKey is the key of a reader.
type readerKey struct{}

// reader is who a page is made for: those who are in groups of customers, for prices, and who
// read in locales.
type reader struct{ groups, locales []string }

func readerOf(ctx context.Context) reader {
	r, _ := ctx.Value(readerKey{}).(reader)
	return r
}

// groups are those of who is signed in, if anybody is.
func (v *visit) groups() ([]string, error) {
	held := v.session()
	if held == "" {
		return nil, nil
	}
	c, err := v.config().Customers.Authenticate(v.r.Context(), held)
	if p := problem.As(err); p != nil && p.Kind == problem.Unauthenticated {
		return nil, nil
	}
	return c.GroupIDs, err
}

// shared answers with a page that is the same for all shoppers, but for those who are in
// groups of customers and may see other prices: it is the same for all of theirs, in one
// locale. name is the page's path with all that it depends on, and nothing else, so that nobody can fill the
// cache with copies of one page.
func (v *visit) shared(name string, query url.Values, make func(ctx context.Context) (*page.Rendered, error)) error {
	groups, err := v.groups()
	if err != nil {
		return err
	}
	ctx := context.WithValue(v.r.Context(), readerKey{}, reader{groups, v.chain})
	if v.preview != "" {
		p, err := make(ctx)
		if err == nil {
			page.Own(v.w, v.r, p)
		}
		return err
	}
	key := v.store.ID + "\x00" + v.edition() + "\x00" + strings.Join(groups, ",") + "\x00" + v.locale + "\x00" + v.currency() + "\x00" + name + "\x00" + query.Encode()
	p, err := v.shop.pages.Get(ctx, key, make)
	switch {
	case err != nil:
		return err
	case len(groups) > 0 || v.access.Closed():
		page.Own(v.w, v.r, p)
	default:
		page.Shared(v.w, v.r, p)
	}
	return nil
}
