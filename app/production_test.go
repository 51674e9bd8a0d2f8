package app_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
)

// refusedInProduction starts the program with what is only fit for trying out. It says all
// that is wrong at once, and tells no secret doing so.
func refusedInProduction(t *testing.T, binary string) {
	command := exec.CommandContext(t.Context(), binary, "serve")
	command.Env = []string{
		"STOA_ENV=production", "STOA_WEBHOOK_ALLOW_HTTP=true", "STOA_MAILBOX=true", "STOA_REDIS_URL=redis://:changeme@redis:6379/0",
		"STOA_SMTP_URL=smtp://stoa:h4rd-t0-gu3ss@mail", "STOA_PUBLIC_URL=http://localhost",
	}
	out, err := command.CombinedOutput()
	if err == nil {
		t.Fatal("it starts")
	}
	for _, variable := range []string{
		"STOA_DATABASE_URL", "STOA_SECRET_KEYS", "STOA_REDIS_URL", "STOA_WEBHOOK_ALLOW_HTTP", "STOA_MAILBOX", "STOA_MAIL_FROM",
		"STOA_BASE_DOMAIN", "STOA_PUBLIC_URL",
	} {
		if !strings.Contains(string(out), variable) {
			t.Errorf("%s is not named: %s", variable, out)
		}
	}
	if strings.Contains(string(out), "gu3ss") || strings.Contains(string(out), "changeme") {
		t.Errorf("a secret is told: %s", out)
	}
}

var measured = regexp.MustCompile(`(?m)^stoa_queue_measured_timestamp_seconds\{.*\} [1-9]`)

// seenAtWork runs the program for jobs alone. It is as healthy and as well seen as one that
// serves, and ends in order.
func seenAtWork(t *testing.T, binary string, env apptest.Env) {
	var log strings.Builder
	command := exec.CommandContext(t.Context(), binary, "work")
	command.Stderr, command.Env = &log, os.Environ()
	for name, value := range env {
		command.Env = append(command.Env, name+"="+value)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ops := "http://" + env["STOA_OPS_ADDR"]
	if !soon(patience, func() bool {
		status, _ := page(ops + "/readyz")
		_, metrics := page(ops + "/metrics")
		return status == http.StatusOK && measured.MatchString(metrics) && strings.Contains(metrics, "stoa_cell_up{")
	}) {
		t.Error("a worker is not seen")
	}
	for _, path := range []string{"/healthz", "/debug/pprof/", "/debug/pprof/goroutine?debug=1"} {
		if status, text := page(ops + path); status != http.StatusOK || text == "" {
			t.Errorf("%s answered %d", path, status)
		}
	}
	if status, _ := page("http://" + env["STOA_HTTP_ADDR"] + "/"); status != 0 {
		t.Errorf("a worker serves: %d", status)
	}
	_ = command.Process.Signal(os.Interrupt) // one that has ended is told by Wait
	if err := command.Wait(); err != nil {
		t.Errorf("it ended with %v: %s", err, log.String())
	}
}

// page reads a page; its status is zero where nobody answers.
func page(address string) (int, string) {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(address)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}
