package app

import (
	"context"
	"maps"
	"math/rand/v2"
	"net/http"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/payments/stripe"
	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/contract"
	"github.com/stoacommerce/stoa/openapi/handlers"
	"github.com/stoacommerce/stoa/platform/cache"
	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants/audit"
	"github.com/stoacommerce/stoa/tenants/requestlog"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/web"
	"github.com/stoacommerce/stoa/web/admin"
	"github.com/stoacommerce/stoa/web/media"
	"github.com/stoacommerce/stoa/web/page"
	"github.com/stoacommerce/stoa/web/site"
	"github.com/stoacommerce/stoa/web/storefront"
)

// handled are the handlers of the whole contract, by operationId.
func handled(m *machinery, s *services, w *jobs.Workers) map[string]openapi.Handler {
	all := map[string]openapi.Handler{}
	for _, some := range []interface {
		Operations() map[string]openapi.Handler
	}{
		&handlers.Signup{DB: m.db, Accounts: s.accounts, Stores: s.stores, ShopURL: m.config.Site.ShopURL, Log: m.log},
		&handlers.Session{DB: m.db, Accounts: s.accounts, Sessions: s.sessions, Access: s.access},
		&handlers.Account{DB: m.db, Accounts: s.accounts, Sessions: s.sessions, Access: s.access},
		&handlers.Passkeys{DB: m.db, Accounts: s.accounts, Session: &handlers.Session{DB: m.db, Accounts: s.accounts, Sessions: s.sessions, Access: s.access}},
		&handlers.Staff{DB: m.db, Members: s.members, Accounts: s.accounts, Access: s.access, Log: m.log},
		&handlers.Roles{DB: m.db, Members: s.members},
		&handlers.Audit{DB: m.db, Log: &audit.Log{DB: m.db}, Orders: s.orders, Carts: s.carts, Restores: restores(s)},
		&handlers.Requests{Log: &requestlog.Log{DB: m.db, Sealer: m.ring}},
		&handlers.APIKeys{DB: m.db, Keys: s.keys},
		&handlers.Domains{DB: m.db, Domains: s.domains},
		&handlers.Store{DB: m.db, Stores: s.stores, ShopURL: m.config.Site.ShopURL},
		&handlers.Operator{DB: m.db, Stores: s.stores, Jobs: w, Books: s.books, Log: m.log},
		&handlers.Billing{Plans: s.plans, Meter: s.meter},
		&handlers.Products{DB: m.db, Catalog: s.catalog, ShopURL: m.config.Site.ShopURL},
		&handlers.Variants{DB: m.db, Catalog: s.catalog, ShopURL: m.config.Site.ShopURL},
		&handlers.Images{DB: m.db, Catalog: s.catalog, Pictures: s.pictures, ShopURL: m.config.Site.ShopURL},
		&handlers.Categories{DB: m.db, Catalog: s.catalog},
		&handlers.Fields{DB: m.db},
		&handlers.Translations{DB: m.db},
		&handlers.Collections{DB: m.db, Catalog: s.catalog, ShopURL: m.config.Site.ShopURL},
		&handlers.PriceLists{DB: m.db},
		&handlers.Imports{DB: m.db, Imports: s.imports},
		&handlers.Exports{DB: m.db, Exports: s.exports, ShopURL: m.config.Site.ShopURL},
		&handlers.Promotions{DB: m.db},
		&handlers.Credit{DB: m.db, Customers: s.customers},
		&handlers.Bulk{DB: m.db, Bulk: s.bulk},
		&handlers.LongOperations{DB: m.db, Long: s.operations, Bulk: s.bulk},
		&handlers.Inventory{DB: m.db},
		&handlers.Locations{DB: m.db},
		&handlers.Lookup{DB: m.db, Speller: s.speller},
		&handlers.Search{DB: m.db, ShopURL: m.config.Site.ShopURL, Speller: s.speller},
		&handlers.Settings{DB: m.db, Door: s.links},
		&handlers.Themes{DB: m.db, Preview: s.links.Preview},
		&handlers.Content{DB: m.db},
		&handlers.ContentImages{DB: m.db, Pictures: s.pictures, ShopURL: m.config.Site.ShopURL},
		&handlers.MailTemplates{DB: m.db, Preview: s.mailer.Preview, Address: func(ctx context.Context, accountID string) (string, error) {
			account, err := s.accounts.Get(ctx, accountID)
			return account.Email, err
		}},
		&handlers.Analytics{DB: m.db, Reports: s.analytics},
		&handlers.ShopCatalog{
			DB: m.db, ShopURL: m.config.Site.ShopURL, Customers: s.customers, AcceptsOrders: handlers.AcceptsOrders,
			Editions: s.editions, Speller: s.speller, Counter: s.searches, Answers: handlers.ShareAnswers(handlers.NewAnswers(looked(m.metrics.Cache.Cache("catalogue"))), cache.NewShared(m.redis, "answers")),
		},
		&handlers.Carts{DB: m.db, Carts: s.carts, Checkout: s.checkout, Customers: s.customers, Editions: s.editions, ShopURL: m.config.Site.ShopURL, RecoverURL: s.links.RecoverCart},
		&handlers.Drafts{DB: m.db, Drafts: s.drafts, Carts: s.carts, Checkout: s.checkout, Orders: s.orders, ShopURL: m.config.Site.ShopURL, Links: s.links},
		&handlers.Checkout{
			DB: m.db, Checkout: s.checkout, Orders: s.orders, ShopURL: m.config.Site.ShopURL, OrderURL: s.links.Order,
			Completed: func(ctx context.Context) { s.visited(ctx, analytics.Completed) },
		},
		&handlers.Orders{DB: m.db, Orders: s.orders, ShopURL: m.config.Site.ShopURL},
		&handlers.Returns{DB: m.db, Orders: s.orders},
		&handlers.Documents{DB: m.db, Documents: s.documents},
		&handlers.Payments{
			DB: m.db, Orders: s.orders, Stripe: s.stripe, Sealer: m.ring, Find: findSide(s.stores),
			Received: func(fate stripe.Fate) { m.metrics.Payments.News(payments.StripeName, string(fate)) },
		},
		&handlers.Customers{DB: m.db, Customers: s.customers},
		&handlers.ShopCustomers{DB: m.db, Customers: s.customers, Orders: s.orders, Documents: s.documents, Checkout: s.checkout, ShopURL: m.config.Site.ShopURL, Links: s.links},
		&handlers.Privacy{DB: m.db, Privacy: s.privacy, Customers: s.customers, Documents: s.documents, Sealer: m.ring},
		&handlers.Reviews{DB: m.db, Customers: s.customers, Editions: s.editions},
		&handlers.Wishlists{DB: m.db, Customers: s.customers},
		&handlers.Webhooks{DB: m.db, Webhooks: s.webhooks},
		&handlers.RateServices{DB: m.db, Rates: s.rates},
	} {
		maps.Copy(all, some.Operations())
	}
	return all
}

// findSide finds a side of a store that is not deleted.
func findSide(all *stores.Service) stripe.Stores {
	return func(ctx context.Context, id string, mode principal.Mode) (postgres.StoreRef, error) {
		store, err := all.ByID(ctx, id, mode)
		return store.Ref, err
	}
}

// newRouter opens the front door.
func newRouter(m *machinery, s *services, w *jobs.Workers) (*openapi.Router, error) {
	doc, err := contract.Load()
	if err != nil {
		return nil, err
	}
	handlers, sample := handled(m, s, w), m.config.API.ResponseSample
	traffic := &trafficObserver{m, s, map[string]*observability.OperationObserver{}}
	for id := range handlers {
		traffic.operations[id] = m.metrics.HTTP.Operation(id)
	}
	router, err := openapi.New(openapi.Config{
		Contract: doc, Handlers: handlers,
		Authenticator: s.credentials, Authorizer: s.access,
		Limiter:  &planLimiter{limits: s.limiter, plans: s.plans, strict: limits.StrictRules()},
		Observer: traffic, Recorder: s.requests, Client: requestClient{},
		Sealer: m.ring, CursorKey: s.cursorKey, SessionCookie: sessions.CookieName, MaxUpload: m.config.HTTP.MaxUpload,
		Sample: func() bool { return sample > 0 && rand.Float64() < sample },
		Log:    m.log,
	})
	if err != nil {
		return nil, err
	}
	for id := range handlers {
		m.metrics.Limiter.Class(router.Operation(id).Limit)
	}
	return router, nil
}

// requestClient tells the front door where a request came from.
type requestClient struct{}

func (requestClient) RequestID(ctx context.Context) string { return httpserver.From(ctx).ID }

func (requestClient) IP(ctx context.Context) string { return httpserver.ClientFrom(ctx).Addr.String() }

// trafficObserver tells the log and the metrics which operation a request was.
type trafficObserver struct {
	*machinery
	services   *services
	operations map[string]*observability.OperationObserver
}

// Answered implements openapi.Observer. The server counts and logs the request when it
// ends; here it learns as what.
func (o *trafficObserver) Answered(ctx context.Context, req *openapi.Request, status int) {
	x, op := httpserver.From(ctx), req.Operation.ID
	x.Operation, x.Observer, x.Actor = op, o.operations[op], req.Caller.Principal.ID
	if store := req.Caller.Store; store != nil {
		x.Store, x.Plan = store.ID, store.Plan
		if step, counts := steps[op]; counts && status < http.StatusBadRequest && !req.DryRun() {
			o.services.visited(postgres.WithStore(ctx, store.Ref), step)
		}
	}
}

// steps are how far visitors have come who ask for an operation of the shop's.
var steps = map[string]analytics.Step{
	"getShop": analytics.Visited, "listShopProducts": analytics.Visited, "listShopCategories": analytics.Visited, "getShopCategory": analytics.Visited,
	"listShopCollections": analytics.Visited, "getShopCollection": analytics.Visited, "searchShop": analytics.Visited, "getShopProduct": analytics.ViewedProduct,
	"createCart": analytics.AddedToCart, "addCartLine": analytics.AddedToCart, "listCartShippingMethods": analytics.ReachedCheckout,
}

// visited counts the visitor of the context's store who sent the request.
func (s *services) visited(ctx context.Context, step analytics.Step) {
	store, within := postgres.StoreFrom(ctx)
	if x := httpserver.From(ctx); within {
		s.visits.Saw(store, step, x.Client.Addr.String(), x.Agent)
	}
}

// Checked implements openapi.Observer.
func (o *trafficObserver) Checked(ctx context.Context, op *openapi.Operation, status int, err error) {
	o.operations[op.ID].ContractChecked(err == nil)
	if err == nil {
		return
	}
	o.log.ErrorContext(ctx, "an answer breaks the contract", "operation", op.ID, "status", status, "error", err)
}

// newHandler sends a request to the front door or to the pages, by its path and host.
func newHandler(m *machinery, s *services, w *jobs.Workers) (http.Handler, error) {
	router, err := newRouter(m, s, w)
	if err != nil {
		return nil, err
	}
	m.metrics.Limiter.Class("page")
	limiter := &page.Limiter{Limits: s.limiter, Strict: limits.StrictRules()}
	observer := func(name string) httpserver.Observer { return m.metrics.HTTP.Operation(name) }
	shop := storefront.New(storefront.Config{
		Speller: s.speller, Counter: s.searches, Beside: cache.NewShared(m.redis, "pages"),
		DB: m.db, Carts: s.carts, Checkout: s.checkout, Customers: s.customers, Orders: s.orders, Documents: s.documents, Privacy: s.privacy, Links: s.links, Editions: s.editions,
		Media: &media.Handler{Files: m.files, Log: m.log}, Limiter: limiter, Log: m.log,
		AcceptsOrders: handlers.AcceptsOrders, Looked: looked(m.metrics.Cache.Cache("pages")), Visited: s.visited,
		Observer: observer, Editor: m.config.Site.PublicURL.Scheme + "://" + m.config.Site.PublicURL.Host,
	})
	pages := site.Config{
		DB: m.db, Accounts: s.accounts, Members: s.members, Stores: s.stores, Sessions: s.credentials, Admin: admin.New(m.config.Site.PublicURL), Limiter: limiter, Log: m.log,
		PublicURL: m.config.Site.PublicURL, StoreURL: m.config.Site.StoreURL, Observer: observer,
	}
	if m.config.Mail.Mailbox {
		pages.Mailbox = s.mailbox
	}
	own, err := site.New(pages)
	if err != nil {
		return nil, err
	}
	return &web.Hosts{
		BaseDomain: m.config.Site.BaseDomain, Scheme: m.config.Site.PublicURL.Scheme, ShopURL: m.config.Site.ShopURL,
		Stores: s.stores, Domains: s.domains, Shop: shop, Site: own, API: router, Log: m.log,
	}, nil
}
