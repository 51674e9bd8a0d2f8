//go:build rehearse

package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/stoacommerce/stoa/commerce/reconciliation"
)

// causes are in an order in which none is hidden by what Alertmanager takes for the cause of it.
func (r *rehearsed) causes() []group {
	return []group{
		{"promises", r.promises()}, {"sales", r.sales()}, {"work", r.work()}, {"wall", r.wall()}, {"servers", r.servers()}, {"upkeep", r.upkeep()}, {"limits", r.limits()}, {"mistakes", r.mistakes()}, {"lost", r.lost()},
	}
}

// promises burn budgets. What burned fast is told to burn slowly once it burns fast no more.
func (r *rehearsed) promises() []cause {
	table := r.schema + ".products"
	nothing := func() {}
	return []cause{
		{"ErrorBudgetBurnsFast", "a store's table of products was taken away, so that nearly all requests of the API fail", func() { r.sql("alter table " + table + " rename to gone") }, func() { r.sql("alter table " + r.schema + ".gone rename to products") }},
		{"ErrorBudgetBurnsSlowly", "it was given back, and the day's budget is spent nevertheless", nothing, nil},
		{"LatencyBudgetBurnsFast", "another transaction locks that table for half a second, again and again", func() { r.lock(table, 500*time.Millisecond, 50*time.Second) }, nil},
		{"LatencyBudgetBurnsSlowly", "it stopped", nothing, nil},
		{"PoolExhausted", "another transaction locks that table for long, and forty callers wait", func() {
			go r.lock(table, 15*time.Second, 15*time.Second)
			r.many(40, func() { r.hit("GET", r.server.URL+"/v1/products?limit=2", r.merchant.secret) })
		}, nil},
	}
}

// sales go wrong.
func (r *rehearsed) sales() []cause {
	control := r.server
	refuse := `create or replace function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'refused by the rehearsal'; end $$;`
	pay := func(token string, times int) func() {
		return func() {
			var tokens []string
			for range times {
				tokens = append(tokens, token)
			}
			for range 2 {
				control.ForgetLimits()
				for range 3 {
					r.merchant.shopper(r.t).buy(r.variant, append(tokens, "succeeds")...)
				}
			}
		}
	}
	return []cause{
		{"PaymentsFail", "the payment provider gives no answer, four times of five", pay("error", 4), nil},
		{"PaymentDeclinesRise", "for two minutes (an hour) all payments succeeded; then the payment provider declines four of five", func() {
			pay("succeeds", 0)()
			time.Sleep(130 * time.Second)
			pay("declined", 4)()
		}, nil},
		{"SignUpsFail", "the control database refuses new stores", func() {
			control.Exec(refuse + `create trigger refuse before insert on stores for each row execute function public.refuse()`)
			for n := range 4 {
				control.ForgetLimits()
				r.hit("POST", control.URL+"/v1/signup", "", fmt.Sprintf(`{"email": "m%d-%s@example.com", "password": "seven purple lanterns at dusk", "account_name": "Ada Example",
					"store_name": "Linen", "store_address": "refused-%d-%s", "country": "DE", "currency": "EUR"}`, n, run(), n, run()))
			}
		}, func() { control.Exec(`drop trigger refuse on stores`) }},
		{"OrdersStopped", "nobody buys for an hour (two minutes, here), after three weeks that had orders, which Prometheus was given", func() {}, nil},
		{"BooksDiffer", "a stock was changed behind the program's back, and the books compared", func() {
			r.sql("update " + r.schema + ".stock_levels set on_hand = on_hand + 1")
			r.hit("POST", control.URL+"/v1/operator/stores/"+r.merchant.id+"/reconcile", control.OperatorKey("admin"), `{"reason": "Rehearsal"}`)
			r.task(reconciliation.JobReconcile) // which tells how many differences there are
		}, func() { r.sql("update " + r.schema + ".stock_levels set on_hand = on_hand - 1") }},
	}
}

// work is not done, or late.
func (r *rehearsed) work() []cause {
	nothing := func() {}
	refuse := `create or replace function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'refused by the rehearsal'; end $$;`
	touch := func(times int) {
		for n := range times {
			r.hit("POST", r.server.URL+"/v1/products", r.merchant.secret, fmt.Sprintf(`{"title": "Jar %d %s", "variants": [{"prices": [{"amount": 100, "currency": "EUR"}]}]}`, n, run()))
		}
	}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	r.t.Cleanup(hook.Close)
	return []cause{
		{"WebhooksFail", "an endpoint answers every webhook with 500", func() {
			r.merchant.call(r.t, "POST", "/v1/webhook-endpoints", r.merchant.secret, map[string]any{"url": hook.URL, "event_types": []string{"product.created"}}, http.StatusCreated)
			go func() {
				for range 12 {
					touch(3)
					time.Sleep(4 * time.Second)
				}
			}()
		}, nil},
		{"DeliveryBudgetBurnsFast", "the worker stands still for half a minute, with webhooks to deliver", func() {
			touch(20)
			r.signal(r.worker.PID(), syscall.SIGSTOP)
			time.Sleep(30 * time.Second)
			r.signal(r.worker.PID(), syscall.SIGCONT)
		}, nil},
		{"DeliveryBudgetBurnsSlowly", "it went on", nothing, nil},
		{"QueueIsLate", "the cell's queue refuses new jobs, so that the outbox grows old", func() {
			r.sql(refuse + `create trigger refuse before insert on river.river_job for each row execute function public.refuse()`)
			touch(5)
		}, nil},
		{"QueueBudgetBurnsFast", "it goes on refusing", nothing, func() { r.sql(`drop trigger refuse on river.river_job`) }},
		{"QueueBudgetBurnsSlowly", "it takes jobs again", nothing, nil},
		{"JobsSetAside", "a job has failed for the last time", func() {
			r.sql(`insert into river.river_job (kind, args, max_attempts, state, finalized_at, queue) values ('event', '{}', 1, 'discarded', now(), 'default')`)
		}, func() { r.sql(`delete from river.river_job where state = 'discarded'`) }},
		{"MigrationStuck", "a store's migration was refused", func() {
			r.sql(`update cell.schema_versions set error = 'refused by the rehearsal' where number = (select min(number) from cell.schema_versions)`)
		}, func() { r.sql(`update cell.schema_versions set error = ''`) }},
		{"CellNearlyFull", "a cell has more stores than it may", func() { r.server.Exec(`update cells set max_stores = 1`) }, func() { r.server.Exec(`update cells set max_stores = 500`) }},
	}
}

// wall stands between stores, and refuses.
func (r *rehearsed) wall() []cause {
	table := r.schema + ".products"
	return []cause{{"WallRefusal", "a view in the place of a store's table reads another store's, as a mistaken migration would have it", func() {
		var other string
		if err := r.cell.QueryRow(context.Background(), `select schemaname from pg_tables where tablename = 'products' and schemaname <> $1 limit 1`, r.schema).Scan(&other); err != nil {
			r.t.Fatalf("there is no other store: %v", err)
		}
		r.sql("alter table " + table + " rename to own_products")
		r.sql("create view " + table + " with (security_invoker) as select * from " + other + ".products")
		r.sql("grant select on " + table + " to public")
	}, func() {
		r.sql("drop view " + table)
		r.sql("alter table " + r.schema + ".own_products rename to products")
	}}}
}

// servers around the program fail.
func (r *rehearsed) servers() []cause {
	return []cause{
		{"DiskFilling", "a disk is written to, a megabyte a second", func() {
			for n := range 42 {
				if err := os.WriteFile(filepath.Join(r.disk, fmt.Sprint(n)), make([]byte, 1<<20), 0o600); err != nil {
					r.t.Error(err)
				}
				time.Sleep(time.Second)
			}
		}, nil},
		{"DiskNearlyFull", "it is written to until little is left", func() {
			_ = os.WriteFile(filepath.Join(r.disk, "last"), make([]byte, 7<<20), 0o600) // it may not all fit
		}, func() {
			for n := range 42 {
				_ = os.Remove(filepath.Join(r.disk, fmt.Sprint(n)))
			}
		}},
		{"CertificateExpires", "a merchant's certificate has an hour left", func() {
			r.server.Exec(`insert into domains (id, store_id, name, check_at) values ('dom_rehearsed', $1, 'shop.example.com', now() + interval '1 day')`, r.merchant.id)
			r.server.Exec(`insert into certificates (domain_id, serial, chain, key_sealed, expires_at) values ('dom_rehearsed', '1', 'x', 'x', now() + interval '1 hour')`)
		}, func() { r.server.Exec(`delete from domains where id = 'dom_rehearsed'`) }},
		{"ReplicationLags", "replay is paused on the standby, while the cell is written to", func() {
			r.standby.sql(r.t, "select pg_wal_replay_pause()")
		}, r.standby.goesOn},
		{"StandbyLost", "the standby's server is killed", r.standby.stop, nil},
		{"FrontDoorDown", "Nginx is stopped", func() { _ = r.front.Stop() }, nil},
		{"ExporterDown", "the exporter of Redis is stopped", func() { _ = r.redisExp.Stop() }, nil},
	}
}

// lost is what the platform stands on, one after the other, and at last the platform.
func (r *rehearsed) lost() []cause {
	return []cause{
		{"LimiterDegraded", "Redis is killed", r.redis.Kill, nil},
		{"QueueNotMeasured", "the worker is killed", r.worker.Kill, nil},
		{"ProcessDown", "it is not started again", func() {}, nil},
		{"CellDown", "the cell's Postgres is stopped", func() { _ = r.postgres.Stop() }, nil},
		{"NothingRuns", "the last process is killed", r.server.Kill, nil},
	}
}

// lock holds a table again and again, each time for a while, for some time.
func (r *rehearsed) lock(table string, hold, during time.Duration) {
	for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		tx, err := r.cell.Begin(context.Background())
		if err != nil {
			r.t.Error(err)
			return
		}
		if _, err := tx.Exec(context.Background(), "lock table "+table+" in access exclusive mode"); err != nil {
			r.t.Error(err)
		}
		time.Sleep(hold)
		_ = tx.Rollback(context.Background()) // which lets go of the lock
	}
}

// many does something many times at once.
func (r *rehearsed) many(times int, do func()) {
	var all sync.WaitGroup
	for range times {
		all.Go(do)
	}
	all.Wait()
}

func (r *rehearsed) signal(pid int, signal syscall.Signal) {
	if err := syscall.Kill(pid, signal); err != nil {
		r.t.Error(err)
	}
}
