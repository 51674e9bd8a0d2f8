package app_test

import (
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/probe"
)

// kills is how often the program is killed.
const kills = 50

// TestKilledFiftyTimesWhileSelling kills one of two replicas and then the other, each
// time while a payment is under way there, and starts it again. Shoppers ask on, at
// whichever answers. In the end nothing is lost, doubled or left over.
func TestKilledFiftyTimesWhileSelling(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t)
	first := apptest.Spawn(t, binary, nil)
	shared := apptest.Env{}
	for _, name := range []string{"STOA_DATABASE_URL", "STOA_CELLS", "STOA_REDIS_URL", "STOA_SECRET_KEYS", "STOA_DATA_DIR"} {
		shared[name] = first.Env[name]
	}
	replicas := []*apptest.Process{first, apptest.Spawn(t, binary, shared)}

	stocks := []int64{1_000_000, 60}
	m := openMarket(t, stocks, replicas[0].Program, replicas[1].Program)
	receiver := apptest.NewReceiver(t)
	m.must(t, 201, probe.Call{Operation: "createWebhookEndpoint", Header: headers(m.secret), Body: body(map[string]any{
		"url": receiver.URL, "event_types": []string{"order.paid"},
	})})

	began := time.Now()
	m.open(8, 100*time.Millisecond)
	for n := range kills {
		victim := n % len(replicas)
		apptest.Eventually(t, time.Minute, "a payment is under way", func() bool { return m.paying[victim].Load() > 0 })
		replicas[victim].Kill()
		replicas[victim].Restart()
	}
	t.Logf("%d kills took %v", kills, time.Since(began).Round(time.Second))
	m.close()
	if lost := m.stats["no answer"]; lost < kills/2 {
		t.Errorf("only %d requests were broken off by %d kills", lost, kills)
	}
	m.reconcile(stocks)

	abandon(first)
	for _, id := range apptest.Query[string](first.Program, `select id from `+m.schema()+`events where type = 'order.paid'`) {
		apptest.Eventually(t, 3*time.Minute, "event "+id+" arrives", func() bool { return receiver.Delivered(id) })
	}
}

// abandon lets 75 seconds pass, after which what a dead worker was about is taken up by
// another.
func abandon(p *apptest.Process) {
	for _, queue := range []string{"river", "river_control"} {
		p.Exec(`update ` + queue + `.river_job set attempted_at = attempted_at - interval '2 minutes' where state = 'running'`)
	}
}

// TestKilledWhileChangingThousands kills the program while it changes thousands of
// products, and while it undoes that. Each of them is changed once.
func TestKilledWhileChangingThousands(t *testing.T) {
	t.Parallel()
	const products = 12_000
	p := apptest.Spawn(t, apptest.Build(t), nil)
	m := openMarket(t, []int64{1}, p.Program)
	table := func(name string) string { return m.schema() + name }
	p.Exec(`insert into `+table("products")+` (id, handle, title, status, tags) select 'prod_' || n, 'bolt-' || n, 'Bolt', 'active', '{steel}' from generate_series(1, $1) n`, products)

	survives := func(asked *probe.Answer) {
		t.Helper()
		id := asked.String("/id")
		is := func(condition string) func() bool {
			return func() bool {
				return apptest.Query[bool](p.Program, `select `+condition+` from `+table("operations")+` where id = $1`, id)[0]
			}
		}
		apptest.Eventually(t, time.Minute, "the operation is under way", is(`done > 0`))
		if is(`state = 'succeeded'`)() {
			t.Fatal("the operation was done before it could be killed")
		}
		p.Kill()
		abandon(p)
		p.Restart()
		apptest.Eventually(t, 5*time.Minute, "the operation succeeds", is(`state = 'succeeded'`))
		answer := m.must(t, 200, probe.Call{Operation: "getOperation", Path: map[string]string{"operation_id": id}, Header: headers(m.secret)})
		if updated, _ := answer.Get("/counts/updated"); updated != float64(products) {
			t.Errorf("the operation: %s", answer.Body)
		}
	}
	count := func(tags string, version int) int64 {
		return apptest.Query[int64](p.Program, `select count(*) from `+table("products")+` where tags = $1::text[] and version = $2`, tags, version)[0]
	}
	change := m.must(t, 202, probe.Call{Operation: "bulkProducts", Header: headers(m.secret), Body: body(map[string]any{
		"action": "update", "filter": map[string]any{"tag": "steel"}, "changes": map[string]any{"add_tags": []string{"galvanised"}},
	})})
	survives(change)
	if n := count("{steel,galvanised}", 2); n != products {
		t.Errorf("%d of %d products were changed once", n, products)
	}
	survives(m.must(t, 202, probe.Call{Operation: "undoOperation", Path: map[string]string{"operation_id": change.String("/id")}, Header: headers(m.secret)}))
	if n := count("{steel}", 3); n != products {
		t.Errorf("%d of %d products were changed back once", n, products)
	}
}
