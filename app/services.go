package app

import (
	"context"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/app/mailer"
	"github.com/stoacommerce/stoa/billing"
	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/commerce/bulk"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/exports"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/payments/stripe"
	"github.com/stoacommerce/stoa/commerce/privacy"
	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/commerce/reconciliation"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
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
	"github.com/stoacommerce/stoa/web/storefront"
	"github.com/stoacommerce/stoa/webhooks"
)

// apiVersion is what new keys are pinned to.
const apiVersion = "2026-11-22"

// services are the parts that have business in them.
type services struct {
	plans      *billing.Plans
	meter      *billing.Meter
	limiter    *limits.Limiter
	access     *access.Enforcer
	sessions   *sessions.Manager
	guard      *guard.Guard
	hasher     *passwords.Hasher
	stores     *stores.Service
	keys       *keys.Service
	accounts   *accounts.Service
	members    *members.Service
	domains    *domains.Service
	operators  *operators.Service
	mailbox    *mailbox.Service
	mailer     *mailer.Mailer
	catalog    *catalog.Service
	pictures   *catalog.Pictures
	editions   *catalog.Editions
	speller    *search.Speller
	searches   *search.Counter
	operations *operations.Service
	bulk       *bulk.Service
	imports    *imports.Service
	exports    *exports.Service
	customers  *customers.Service
	carts      *cart.Service
	drafts     *drafts.Service
	checkout   *checkout.Service
	orders     *orders.Service
	stripe     *stripe.Provider
	books      *reconciliation.Reconciler
	analytics  *analytics.Service
	visits     *analytics.Visits
	documents  *documents.Service
	webhooks   *webhooks.Service
	rates      *rates.Service
	links      *storefront.Links
	requests   *requestlog.Recorder
	privacy    *privacy.Service

	credentials openapi.Authenticator
	pepper      secrets.Pepper // the platform's
	cursorKey   []byte
}

func newServices(ctx context.Context, m *machinery) (*services, error) {
	s := &services{meter: &billing.Meter{DB: m.db}}
	var err error
	if s.plans, err = billing.Load(); err != nil {
		return nil, err
	}
	if s.access, err = access.New(); err != nil {
		return nil, err
	}
	peppers := tenants.Peppers{DB: m.db}
	pepper, err := m.ring.Pepper(ctx, peppers, "platform")
	if err != nil {
		return nil, fmt.Errorf("the control database cannot be used (has stoa migrate been run?): %w", err)
	}
	s.pepper, s.cursorKey = pepper, pepper.Derive("cursors").HMAC("key")
	s.limiter = limits.New(m.redis, limits.Hooks{
		Decided: func(class string, allowed bool, took time.Duration) {
			m.metrics.Limiter.Class(class).Decided(allowed, took)
		},
		FellBack: m.metrics.Limiter.FellBack,
		Degraded: m.metrics.Limiter.SetDegraded,
		Overrun:  func(limits.Policy) { m.metrics.Limiter.StoreOverTotal() },
	}, m.log)
	s.sessions = sessions.New(m.redis, sessions.Config{})
	s.guard = guard.New(m.redis, guard.Usual(), m.log)
	if s.hasher, err = passwords.NewHasher(m.config.Security.BcryptCost); err != nil {
		return nil, err
	}
	s.stores = stores.New(stores.Config{
		DB: m.db, Maker: m.runner, Bus: m.bus, Files: m.files, Traces: s.limiter, Log: m.log,
		Looked: looked(m.metrics.Cache.Cache("stores")), Dropped: m.metrics.Cache.Cache("stores").Invalidated,
		Changed: func(ctx context.Context, tx *postgres.Tx, before, after stores.Settings) error {
			if err := analytics.Follow(ctx, tx, before.TimeZone, after.TimeZone); err != nil {
				return err
			}
			return settings.Follow(ctx, tx, before.Locale != after.Locale, before.Currency != after.Currency, !slices.Equal(before.Currencies, after.Currencies))
		},
	})
	m.committed = append(m.committed, s.stores.Committed, counted(m.metrics))
	keyPepper, err := m.ring.Pepper(ctx, peppers, keys.PepperName)
	if err != nil {
		return nil, err
	}
	s.keys = keys.New(keys.Config{
		DB: m.db, Stores: s.stores, Access: s.access, Bus: m.bus, Pepper: keyPepper, APIVersion: apiVersion, Site: m.config.Site.PublicURL, Log: m.log,
		Looked: looked(m.metrics.Cache.Cache("keys")), Dropped: m.metrics.Cache.Cache("keys").Invalidated,
	})
	people := &requestlog.People{Pepper: pepper.Derive("request_log")}
	s.privacy = &privacy.Service{DB: m.db, Sealer: m.ring, People: people, Wait: requestlog.Delay + time.Second,
		Withdraw: func(ctx context.Context, tx *postgres.Tx) (int, error) { return s.exports.Withdraw(ctx, tx) }}
	s.requests = requestlog.New(requestlog.Config{
		DB: m.db, Sealer: m.ring, Days: func(plan string) int { return s.plans.Get(plan).RequestLogDays },
		People: people, Written: m.metrics.Requests.Written, Dropped: m.metrics.Requests.Dropped, Log: m.log,
	})
	s.operators = &operators.Service{DB: m.db, Pepper: pepper.Derive("operator_keys")}
	s.accounts = accounts.New(accounts.Config{
		DB: m.db, Stores: s.stores, Keys: s.keys, Sessions: s.sessions, Guard: s.guard, Hasher: s.hasher, Bus: m.bus,
		Sealer: m.ring, Pepper: pepper.Derive("recovery_codes"), Site: m.config.Site.PublicURL, Log: m.log,
		SignedUp: signUpEnds.counted(m.metrics.Business.SignUp), SignedIn: signInEnds.counted(m.metrics.Business.SignIn),
	})
	s.members = members.New(members.Config{
		DB: m.db, Stores: s.stores, Accounts: s.accounts, Access: s.access, Site: m.config.Site.PublicURL, Log: m.log,
		Limit: func(plan string) *int { return s.plans.Get(plan).Staff },
	})
	if s.domains, err = openDomains(m, s); err != nil {
		return nil, err
	}
	s.credentials = &credentials.Authenticator{Sessions: s.sessions, Accounts: s.accounts, Stores: s.stores, Keys: s.keys, Operators: s.operators}
	s.catalog, s.editions = catalog.New(planLimits{s}), catalog.NewEditions(m.db)
	s.speller, s.searches = search.NewSpeller(m.db), search.NewCounter(m.db)
	s.pictures = &catalog.Pictures{Files: m.files, Processor: images.New(images.Options{}), MaxBytes: planLimits{s}.PictureBytes}
	s.operations = operations.New(m.db)
	s.bulk = bulk.New(m.db, s.operations, s.catalog, bulk.Config{}, m.log)
	s.customers = &customers.Service{DB: m.db, Hasher: s.hasher, Guard: s.guard}
	s.imports = imports.New(m.db, s.operations, s.catalog, s.customers, s.pictures, imports.Config{MaxBytes: m.config.HTTP.MaxUpload, Egress: m.outside()}, m.log)
	s.exports = exports.New(m.db, s.operations, m.files, exports.Config{})
	s.webhooks = webhooks.New(m.ring, m.outside())
	s.links = &storefront.Links{ShopURL: m.config.Site.ShopURL, Stores: s.stores, Pepper: pepper.Derive("order_links")}
	s.rates = rates.New(m.db, m.ring, m.outside(), m.log)
	s.rates.Asked = func(kind rates.Kind, outcome string, took time.Duration) {
		m.metrics.Rates.Asked(string(kind), outcome, took)
	}
	s.carts = cart.New(m.db)
	s.carts.Rates = s.rates
	s.drafts = &drafts.Service{Carts: s.carts}
	providers := payments.Providers{payments.TestName: &payments.Test{DB: m.db, Page: s.links.TestPayment}, payments.ManualName: payments.ByHand{}}
	s.stripe = m.openStripe()
	providers[payments.StripeName] = s.stripe
	s.checkout = &checkout.Service{DB: m.db, Carts: s.carts, Providers: providers, Log: m.log}
	fonts, err := typeset.OpenFonts(m.config.Files.Fonts)
	if err != nil {
		return nil, err
	}
	s.documents = &documents.Service{DB: m.db, Fonts: fonts}
	s.analytics = &analytics.Service{DB: m.db}
	s.visits = &analytics.Visits{DB: m.db, Log: m.log}
	s.orders = &orders.Service{DB: m.db, Stock: checkout.Stock{}, Offers: checkout.Offers{Carts: s.carts}, Providers: providers, Log: m.log}
	s.books = &reconciliation.Reconciler{
		DB: m.db, Books: &reconciliation.Service{DB: m.db, Providers: providers}, Measured: m.metrics.Payments.Differences, Log: m.log,
	}
	return s, s.openMail(m)
}

// openMail says where mails go: to the mail server, where one is configured, and to the
// mailbox.
func (s *services) openMail(m *machinery) error {
	s.mailbox = mailbox.New(m.db)
	config := mailer.Config{
		DB: m.db, Stores: s.stores, Mailbox: mail.NewMailbox(s.mailbox), KeepAll: m.config.Mail.Mailbox,
		Site: m.config.Site.PublicURL, ShopURL: m.config.Site.ShopURL, Links: s.links, Staff: s.members.Addresses,
		Failed: func(kind mail.Kind, err error) {
			m.metrics.Mail.TemplateFailed()
			m.log.Error("a mail went by the default, as its template failed", "kind", string(kind), "error", err)
		},
	}
	if !m.config.Mail.SMTP.Empty() {
		sender, err := netmail.ParseAddress(m.config.Mail.From)
		if err != nil {
			return fmt.Errorf("sender of mails: %w", err)
		}
		if config.Delivery, err = mail.NewSMTP(mail.SMTPConfig{URL: m.config.Mail.SMTP, From: sender.Address, FromName: sender.Name}); err != nil {
			return err
		}
	}
	s.mailer = mailer.New(config)
	return nil
}

// openStripe opens the platform's account with Stripe.
func (m *machinery) openStripe() *stripe.Provider {
	c := m.config.Stripe
	return stripe.New(stripe.Config{
		DB: m.db, Sealer: m.ring, Base: strings.TrimSuffix(c.APIBase.String(), "/"),
		Keys: map[principal.Mode]stripe.Keys{
			principal.Live: {Secret: c.Secret.Reveal(), Publishable: c.Publishable},
			principal.Test: {Secret: c.TestSecret.Reveal(), Publishable: c.TestPublishable},
		},
		WebhookSecrets: strings.Split(c.WebhookSecrets.Reveal(), ","),
	})
}

// looked counts look-ups of a memory.
func looked(cache *observability.CacheObserver) func(hit bool) {
	return func(hit bool) {
		if hit {
			cache.Hit()
		} else {
			cache.Miss()
		}
	}
}

// outside says which addresses of merchants' choosing may be reached.
func (m *machinery) outside() egress.Options {
	return egress.Options{AllowPlainHTTP: m.config.Security.WebhookAllowHTTP, AllowPrivate: m.config.Security.WebhookAllowHTTP}
}

// planLimits asks the plan what a store may have.
type planLimits struct{ *services }

// plan is the plan of the context's store: of a request it is known, of a job looked up.
func (l planLimits) plan(ctx context.Context) billing.Plan {
	who := principal.From(ctx)
	if who.Plan == "" {
		if ref, ok := postgres.StoreFrom(ctx); ok {
			if store, err := l.stores.ByID(ctx, ref.ID, ref.Mode); err == nil {
				who.Plan = store.Plan
			}
		}
	}
	return l.plans.Get(who.Plan)
}

// PictureBytes is how large a picture may be that is uploaded; zero is no limit.
func (l planLimits) PictureBytes(ctx context.Context) int64 {
	if most := l.plan(ctx).PictureMegabytes; most != nil {
		return int64(*most) << 20
	}
	return 0
}

// Products implements catalog.Limits.
func (l planLimits) Products(ctx context.Context) int {
	if most := l.plan(ctx).Products; most != nil {
		return *most
	}
	return 0
}
