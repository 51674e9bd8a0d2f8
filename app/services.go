package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/billing"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/guard"
	"github.com/stoacommerce/stoa/platform/images"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/passwords"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/operators"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/webhooks"
)

// services are the parts that have business in them.
type services struct {
	plans     *billing.Plans
	meter     *billing.Meter
	limiter   *limits.Limiter
	access    *access.Enforcer
	sessions  *sessions.Manager
	guard     *guard.Guard
	hasher    *passwords.Hasher
	stores    *stores.Service
	operators *operators.Service
	catalog   *catalog.Service
	pictures  *catalog.Pictures
	webhooks  *webhooks.Service

	credentials openapi.Authenticator
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
	pepper, err := m.ring.Pepper(ctx, tenants.Peppers{DB: m.db}, "platform")
	if err != nil {
		return nil, fmt.Errorf("the control database cannot be used (has stoa migrate been run?): %w", err)
	}
	s.cursorKey = pepper.Derive("cursors").HMAC("key")
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
	lookups := m.metrics.Cache.Cache("stores")
	s.stores = stores.New(stores.Config{
		DB: m.db, Maker: m.runner, Bus: m.bus, Files: m.files, Log: m.log,
		Looked: func(hit bool) {
			if hit {
				lookups.Hit()
			} else {
				lookups.Miss()
			}
		},
	})
	m.committed = append(m.committed, s.stores.Committed)
	s.operators = &operators.Service{DB: m.db, Pepper: pepper.Derive("operator_keys")}
	s.catalog = catalog.New(planLimits{s})
	s.pictures = &catalog.Pictures{Files: m.files, Processor: images.New(images.Options{})}
	s.webhooks = webhooks.New(m.ring, m.outside())
	return s, nil
}

// outside says which addresses of merchants' choosing may be reached.
func (m *machinery) outside() egress.Options {
	return egress.Options{AllowPlainHTTP: m.config.Security.WebhookAllowHTTP, AllowPrivate: m.config.Security.WebhookAllowHTTP}
}

// shopURL is where the hosted shop of one side of a store answers.
func (m *machinery) shopURL(store *tenants.Store) string {
	label := stores.HostLabel(store.Address, store.Ref.Mode == principal.Test)
	return strings.TrimSuffix(m.config.Site.StoreURL(label).String(), "/")
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

// Products implements catalog.Limits.
func (l planLimits) Products(ctx context.Context) int {
	if most := l.plan(ctx).Products; most != nil {
		return *most
	}
	return 0
}
