package app_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app"
)

func TestHealthSaysHowTheProcessIs(t *testing.T) {
	ready := http.StatusOK
	ops := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(ready)
		}
		_, _ = w.Write([]byte("it says " + r.URL.Path))
	}))
	defer ops.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(ops.URL, "http://"), ":")
	health := func(addr string, live bool) (string, error) {
		var out strings.Builder
		config := app.Config{Ops: app.OpsConfig{Addr: addr}}
		err := app.Health(live)(context.Background(), config, app.Build{}, app.Terminal{Out: &out, Err: &out})
		return out.String(), err
	}
	for _, addr := range []string{"127.0.0.1:" + port, "0.0.0.0:" + port, ":" + port} {
		if out, err := health(addr, false); err != nil || out != "it says /readyz\n" {
			t.Errorf("at %s: %q, %v", addr, out, err)
		}
	}
	ready = http.StatusServiceUnavailable
	if _, err := health("127.0.0.1:"+port, false); err == nil || !strings.Contains(err.Error(), "it says /readyz") {
		t.Errorf("one that is unready: %v", err)
	}
	if out, err := health("127.0.0.1:"+port, true); err != nil || out != "it says /healthz\n" {
		t.Errorf("one that lives: %q, %v", out, err)
	}
	ops.Close()
	if _, err := health("127.0.0.1:"+port, true); err == nil || !strings.Contains(err.Error(), "ask /healthz of 127.0.0.1:"+port) {
		t.Errorf("one that is gone: %v", err)
	}
}
