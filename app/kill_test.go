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
// time while a payment is under way there, and starts it again, and thousands of products
// are being changed. Shoppers ask on, at whichever answers. In the end nothing is lost,
// doubled or left over.
func TestKilledFiftyTimesWhileSelling(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t)
	first := apptest.Spawn(t, binary, nil)
	shared := first.Env.Shared()
	replicas := []*apptest.Process{first, apptest.Spawn(t, binary, shared)}

	stocks := []int64{1_000_000, 60}
	m := openMarket(t, stocks, replicas[0].Program, replicas[1].Program)
	receiver := apptest.NewReceiver(t)
	m.must(t, 201, probe.Call{Operation: "createWebhookEndpoint", Header: headers(m.secret), Body: body(map[string]any{
		"url": receiver.URL, "event_types": []string{"order.paid"},
	})})

	const thousands = 6_000
	products, operations := m.schema()+"products", m.schema()+"operations"
	first.Exec(`insert into `+products+` (id, handle, title, status, tags) select 'prod_' || n, 'bolt-' || n, 'Bolt', 'active', '{steel}' from generate_series(1, $1) n`, thousands)
	change := m.must(t, 202, probe.Call{Operation: "bulkProducts", Header: headers(m.secret), Body: body(map[string]any{
		"action": "update", "filter": map[string]any{"tag": "steel"}, "changes": map[string]any{"add_tags": []string{"galvanised"}},
	})}).String("/id")

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

	// What a dead worker was about is taken up by another after 75 seconds. They pass now.
	// No dead worker holds a lock; what is locked belongs to a living one, which goes on.
	for _, queue := range []string{"river", "river_control"} {
		first.Exec(`update ` + queue + `.river_job set attempted_at = attempted_at - interval '2 minutes' where id in (
			select id from ` + queue + `.river_job where state = 'running' for update skip locked)`)
	}
	for _, id := range apptest.Query[string](first.Program, `select id from `+m.schema()+`events where type = 'order.paid'`) {
		apptest.Eventually(t, 3*time.Minute, "event "+id+" arrives", func() bool { return receiver.Delivered(id) })
	}
	apptest.Eventually(t, 6*time.Minute, "the change of thousands succeeds", func() bool {
		return apptest.Query[string](first.Program, `select state from `+operations+` where id = $1`, change)[0] == "succeeded"
	})
	if n := apptest.Query[int](first.Program, `select count(*)::int from `+products+` where tags = '{steel,galvanised}' and version = 2`)[0]; n != thousands {
		t.Errorf("%d of %d products were changed once", n, thousands)
	}
}
