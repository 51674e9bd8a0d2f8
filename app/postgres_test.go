package app_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/probe"
	"github.com/stoacommerce/stoa/platform/embedded"
)

// TestServesAgainWhenPostgresIsBack restarts Postgres while shoppers buy, in order and by
// a kill. The program goes on by itself.
func TestServesAgainWhenPostgresIsBack(t *testing.T) {
	t.Parallel()
	// What Postgres has promised outlasts a kill of its processes; only the machine's own
	// end would need fsync.
	options := embedded.PostgresOptions{Dir: t.TempDir(), MaxConnections: 100, Settings: map[string]string{"fsync": "off"}}
	server := startPostgres(t, options)
	t.Cleanup(func() {
		_ = server.Stop()
		if log, err := os.ReadFile(filepath.Join(options.Dir, "log")); err == nil && t.Failed() {
			t.Logf("Postgres's log:\n%s", log[max(0, len(log)-20_000):])
		}
	})
	address, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	if options.Port, err = strconv.Atoi(address.Port()); err != nil {
		t.Fatal(err)
	}
	database, err := server.Database(t.Context(), "stoa")
	if err != nil {
		t.Fatal(err)
	}
	p := apptest.Start(t, apptest.Env{"STOA_DATABASE_URL": database})
	stocks := []int64{1_000_000}
	m := openMarket(t, stocks, p)
	receiver := apptest.NewReceiver(t)
	m.must(t, 201, probe.Call{Operation: "createWebhookEndpoint", Header: headers(m.secret), Body: body(map[string]any{
		"url": receiver.URL, "event_types": []string{"order.paid"},
	})})
	m.open(4, 20*time.Millisecond)

	for _, restart := range []struct {
		how  string
		stop func()
	}{
		{"restarted", func() {}},
		{"killed", func() {
			if err := syscall.Kill(server.PID(), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-server.Done()
		}},
	} {
		m.untilSold(20, time.Minute)
		restart.stop()
		_ = server.Stop() // of one that was killed, and so with an error
		server = startPostgres(t, options)
		back := time.Now()
		m.untilSold(1, 50*time.Second)
		t.Logf("%s: sold again after %v", restart.how, time.Since(back).Round(time.Millisecond))
		apptest.Eventually(t, 50*time.Second, "staff sign in", func() bool {
			answer, err := p.Probe.Do(t.Context(), p.Client(), probe.Call{
				Operation: "signIn", Header: headers("", "X-Forwarded-For", anywhere()), Body: body(map[string]any{"email": m.email, "password": password}),
			})
			return err == nil && answer.Status == 201
		})
		last := apptest.Query[string](p, `select max(id) from `+m.schema()+`events where type = 'order.paid'`)[0]
		apptest.Eventually(t, time.Minute, "events are delivered", func() bool { return receiver.Delivered(last) })
	}
	m.close()
	m.reconcile(stocks)
}

func startPostgres(t *testing.T, options embedded.PostgresOptions) *embedded.Postgres {
	t.Helper()
	server, err := embedded.StartPostgres(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return server
}
