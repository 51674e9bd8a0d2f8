package observability_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/observability"
)

func startOps(t *testing.T, c observability.OpsConfig, prepare func(*observability.Ops)) *observability.Ops {
	t.Helper()
	c.Addr = "127.0.0.1:0"
	o := observability.NewOps(c, observability.NewMetrics(observability.MetricsConfig{}), slog.New(slog.DiscardHandler))
	if prepare != nil {
		prepare(o)
	}
	if err := o.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return o
}

func get(t *testing.T, o *observability.Ops, path string) (int, string) {
	t.Helper()
	answer, err := http.Get("http://" + o.Addr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

type readyAnswer struct {
	Status string
	Checks []struct {
		Name     string
		OK       bool
		Required bool
		Error    string
	}
}

func ready(t *testing.T, o *observability.Ops) (int, readyAnswer) {
	t.Helper()
	status, body := get(t, o, "/readyz")
	var answer readyAnswer
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return status, answer
}

func TestOpsAnswers(t *testing.T) {
	o := startOps(t, observability.OpsConfig{}, nil)
	for path, want := range map[string]string{
		"/":                              "/metrics",
		"/healthz":                       `"alive"`,
		"/metrics":                       "stoa_build_info{",
		"/debug/pprof/":                  "goroutine",
		"/debug/pprof/goroutine?debug=1": "goroutine profile",
		"/debug/pprof/cmdline":           "observability.test",
	} {
		if status, body := get(t, o, path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s answers %d without %q", path, status, want)
		}
	}
	if status, _ := get(t, o, "/elsewhere"); status != http.StatusNotFound {
		t.Errorf("/elsewhere answers %d", status)
	}
}

func TestReadinessFollowsTheRequiredChecks(t *testing.T) {
	var down atomic.Bool
	o := startOps(t, observability.OpsConfig{}, func(o *observability.Ops) {
		o.Require("control", func(context.Context) error {
			if down.Load() {
				return errors.New("connection refused")
			}
			return nil
		})
		o.Inform("cell west", func(context.Context) error { return errors.New("west is down") })
	})
	status, answer := ready(t, o)
	if status != http.StatusOK || answer.Status != "ready" || len(answer.Checks) != 2 {
		t.Fatalf("with an informing check failed: %d %+v", status, answer)
	}
	if c := answer.Checks[1]; c.Name != "cell west" || c.OK || c.Required || c.Error != "west is down" {
		t.Errorf("informing check is %+v", c)
	}
	down.Store(true)
	status, answer = ready(t, o)
	if status != http.StatusServiceUnavailable || answer.Status != "unready" || answer.Checks[0].Error != "connection refused" {
		t.Errorf("with a required check failed: %d %+v", status, answer)
	}
	down.Store(false)
	if status, _ = ready(t, o); status != http.StatusOK {
		t.Errorf("after it came back: %d", status)
	}
}

func TestDrainingIsNotReadyButAlive(t *testing.T) {
	o := startOps(t, observability.OpsConfig{}, nil)
	o.SetDraining(true)
	if status, answer := ready(t, o); status != http.StatusServiceUnavailable || answer.Status != "draining" {
		t.Errorf("readyz while draining: %d %+v", status, answer)
	}
	if status, _ := get(t, o, "/healthz"); status != http.StatusOK {
		t.Errorf("healthz while draining: %d", status)
	}
	o.SetDraining(false)
	if status, _ := ready(t, o); status != http.StatusOK {
		t.Errorf("readyz after draining: %d", status)
	}
}

func TestAHangingCheckNeitherHangsTheProbeNorPilesUp(t *testing.T) {
	release := make(chan struct{})
	var runs atomic.Int32
	o := startOps(t, observability.OpsConfig{CheckTimeout: 50 * time.Millisecond}, func(o *observability.Ops) {
		o.Require("stuck", func(context.Context) error {
			runs.Add(1)
			<-release
			return nil
		})
	})
	for range 3 {
		began := time.Now()
		status, answer := ready(t, o)
		if status != http.StatusServiceUnavailable || !strings.Contains(answer.Checks[0].Error, "no answer within") {
			t.Errorf("%d %+v", status, answer)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("probe took %s", took)
		}
	}
	if n := runs.Load(); n != 1 {
		t.Errorf("%d runs at once", n)
	}
	close(release)
	deadline := time.Now().Add(5 * time.Second)
	for {
		status, _ := ready(t, o)
		if status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("not ready after the check was released")
		}
	}
}

func TestProbesAtTheSameTimeShareARun(t *testing.T) {
	var runs atomic.Int32
	entered, release := make(chan struct{}, 10), make(chan struct{})
	o := startOps(t, observability.OpsConfig{CheckTimeout: 10 * time.Second}, func(o *observability.Ops) {
		o.Require("slow", func(context.Context) error {
			runs.Add(1)
			entered <- struct{}{}
			<-release
			return nil
		})
	})
	var wg sync.WaitGroup
	probe := func() {
		if status, answer := ready(t, o); status != http.StatusOK {
			t.Errorf("%d %+v", status, answer)
		}
	}
	wg.Go(probe)
	<-entered
	wg.Go(probe)
	time.Sleep(50 * time.Millisecond) // for the second probe to arrive; if it comes late it runs anew and still is ready
	close(release)
	wg.Wait()
	if n := runs.Load(); n < 1 || n > 2 {
		t.Errorf("%d runs", n)
	}
}

func TestAPanickingCheckIsAFailedCheck(t *testing.T) {
	o := startOps(t, observability.OpsConfig{}, func(o *observability.Ops) {
		o.Require("wild", func(context.Context) error { panic("oh") })
	})
	for range 2 {
		if status, answer := ready(t, o); status != http.StatusServiceUnavailable || answer.Checks[0].Error != "check panicked: oh" {
			t.Errorf("%d %+v", status, answer)
		}
	}
}

func TestOpsStartNamesAnAddressInUse(t *testing.T) {
	first := startOps(t, observability.OpsConfig{}, nil)
	second := observability.NewOps(observability.OpsConfig{Addr: first.Addr()},
		observability.NewMetrics(observability.MetricsConfig{}), slog.New(slog.DiscardHandler))
	if err := second.Start(t.Context()); err == nil || !strings.Contains(err.Error(), first.Addr()) {
		t.Errorf("error is %v", err)
	}
	if err := second.Stop(t.Context()); err != nil {
		t.Errorf("stopping what never started: %v", err)
	}
}
