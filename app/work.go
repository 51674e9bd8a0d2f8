package app

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stoacommerce/stoa/app/keeping"
	"github.com/stoacommerce/stoa/app/upkeep"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/checkout"
	"github.com/stoacommerce/stoa/commerce/collections"
	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/payments/stripe"
	"github.com/stoacommerce/stoa/commerce/reconciliation"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/audit"
	"github.com/stoacommerce/stoa/tenants/requestlog"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/webhooks"
)

// How often the platform looks after itself.
const (
	flushEvery  = 5 * time.Second // of what this process counted
	addUpEvery  = time.Minute
	probeEvery  = 5 * time.Second
	othersEvery = time.Minute
)

// newWorkers says what is done for each kind of job, and what is done regularly.
func newWorkers(m *machinery, s *services, k *keeping.Keeper) *jobs.Workers {
	w := jobs.New(jobs.Config{
		DB: m.db, Resolve: s.stores.ResolveJob, Workers: m.config.Jobs.Workers,
		Observer: queueObserver{m.metrics}, Tracing: m.tracing, Log: m.log,
	})
	s.webhooks.Register(w, m.db, func(a webhooks.Attempt) { webhookAttempted(m.metrics.Webhooks, a) })
	s.stores.Register(w)
	s.pictures.Register(w)
	(&collections.Ranker{DB: m.db}).Register(w)
	(&search.Due{DB: m.db}).Register(w)
	s.imports.Register(w)
	s.exports.Register(w)
	s.bulk.Register(w)
	(&audit.Log{DB: m.db}).Register(w, forget)
	s.mailer.Register(w)
	s.keys.Register(w)
	s.domains.Register(w)
	(&upkeep.Upkeep{DB: m.db, Log: m.log}).Register(w)
	(&requestlog.Keeper{DB: m.db}).Register(w)
	s.privacy.Register(w)
	s.books.Register(w)
	s.analytics.Register(w)
	for _, kind := range reconciliation.Kinds {
		m.metrics.Payments.Differences(string(kind), 0)
	}
	w.Handle(orders.JobResume, func(ctx context.Context, _ jobs.Job) error {
		_, err := s.orders.ResumePending(ctx)
		return err
	})
	w.Handle(documents.JobIssue, jobs.With(s.documents.Issue))
	w.Handle(inventory.JobLapse, func(ctx context.Context, _ jobs.Job) error { return inventory.ClearLapsed(ctx, m.db) })
	w.Handle(cart.JobAbandoned, jobs.With(s.carts.FindAbandoned))
	w.Handle(checkout.JobResume, func(ctx context.Context, _ jobs.Job) error {
		_, err := s.checkout.ResumePending(ctx)
		return err
	})
	w.Handle(stripe.JobNews, jobs.With(func(ctx context.Context, news stripe.News) error {
		err := s.stripe.Look(ctx, news, s.checkout.Learn, s.orders.Learn)
		if problem.Is(err, "completion_in_progress") {
			return jobs.Snooze(2 * time.Second) // whoever began the payment is at it
		}
		return err
	}))
	m.metrics.Payments.Provider(payments.StripeName, fates()...)
	w.Every("usage.add_up", addUpEvery, func(ctx context.Context) error {
		for _, cell := range m.db.Cells() {
			if _, err := s.meter.AddUp(ctx, cell); err != nil {
				return err
			}
		}
		return nil
	})
	w.Every("usage.others", othersEvery, func(ctx context.Context) error {
		return s.meter.Flush(ctx, s.limiter.Usage(), true)
	})
	registerKeeping(w, k, m)
	for _, kind := range w.Kinds() {
		m.metrics.Queue.Kind(kind)
	}
	for _, queue := range w.Queues() {
		m.metrics.Queue.Cell(queue)
	}
	return w
}

func fates() (names []string) {
	for _, fate := range stripe.Fates {
		names = append(names, string(fate))
	}
	return names
}

// background is what each process does beside its roles.
func (a *App) background(ctx context.Context, group *errgroup.Group, roles Roles) {
	for _, flush := range []func(context.Context) error{
		func(ctx context.Context) error { return a.meter.Flush(ctx, a.limiter.Usage(), false) },
		func(ctx context.Context) error {
			// Stores whose cell is away keep no process from ending well.
			if err := a.searches.Flush(ctx); err != nil {
				a.log.WarnContext(ctx, "some searches are not counted", "error", err)
			}
			return nil
		},
		func(ctx context.Context) error { a.visits.Flush(ctx); return nil },
	} {
		group.Go(func() error {
			every(ctx, flushEvery, func() {
				if err := flush(ctx); err != nil && ctx.Err() == nil {
					a.log.WarnContext(ctx, "usage is not written down yet", "error", err)
				}
			})
			// What was counted since is written down before the process ends.
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			return flush(ending)
		})
	}
	group.Go(func() error {
		a.requests.Run(ctx)
		return nil
	})
	group.Go(func() error {
		a.keys.Run(ctx)
		return nil
	})
	group.Go(func() error {
		every(ctx, probeEvery, func() { a.probeCells(ctx) })
		return nil
	})
	if roles.Work {
		keeper := &stores.Keeper{Stores: a.stores, Ready: a.config.Database.ReadyStores, Log: a.log}
		group.Go(func() error {
			keeper.Run(ctx)
			return nil
		})
		group.Go(func() error {
			a.keeper.Work(ctx)
			return nil
		})
		group.Go(func() error {
			every(ctx, standEvery, func() { a.showKeeping(ctx) })
			return nil
		})
	}
}

// probeCells shows how the cells are.
func (a *App) probeCells(ctx context.Context) {
	cells, err := a.stores.Cells(ctx)
	if err != nil {
		return // the control database is away, and says so itself
	}
	for _, cell := range cells {
		o := a.metrics.Cells.Cell(cell.Name)
		o.Up(cell.Up)
		o.Stores(cell.Stores, cell.Capacity)
		o.ReadySchemas(cell.Ready)
	}
}

// every does something now and at intervals until ctx ends.
func every(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// webhookAttempted counts an attempt by what came of it.
func webhookAttempted(m *observability.WebhookMetrics, a webhooks.Attempt) {
	outcome := observability.Delivered
	switch {
	case a.Status == http.StatusGone:
		outcome = observability.DeliveryGone
	case a.Status >= 300:
		outcome = observability.DeliveryRefused
	case a.Blocked:
		outcome = observability.DeliveryBlocked
	case a.TimedOut:
		outcome = observability.DeliveryTimedOut
	case a.Status == 0:
		outcome = observability.DeliveryUnreachable
	}
	m.Attempted(outcome, time.Duration(a.DurationMS)*time.Millisecond)
}
