//go:build rehearse

// Package image_test builds the image, looks at what is in it, and sells through it.
package image_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/internal/rehearsal"
	"github.com/stoacommerce/stoa/platform/child"
	"github.com/stoacommerce/stoa/platform/ids"
)

const top = "../.."

// TestRehearseImage builds the image as make image does, starts it by runc with a root that
// cannot be written to, no capability and no way to get one, as nobody in particular, and
// goes from sign-up to a paid order through it.
func TestRehearseImage(t *testing.T) {
	var steps []rehearsal.Step
	done := func(what string, since time.Time, came string, values ...any) {
		steps = append(steps, rehearsal.Step{Done: what, Took: time.Since(since), Came: fmt.Sprintf(came, values...), Lost: "nothing"})
	}

	began := time.Now()
	build := exec.Command("make", "--no-print-directory", "-C", top, "image", "IMAGE=localhost/stoa", "TAG=rehearsed")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make image: %v\n%s", err, out)
	}
	made := filepath.Join(top, "bin/image")
	i := open(t, filepath.Join(made, "image.tar"))
	archive, err := os.Stat(filepath.Join(made, "image.tar"))
	if err != nil {
		t.Fatal(err)
	}
	done("`make image`", began, "an image of %.1f MB", float64(archive.Size())/1e6)

	dir := t.TempDir()
	files := i.unpack(t, filepath.Join(dir, "root"))
	holdsNothingElse(t, i, files)
	isToldOf(t, i, made)

	env := apptest.NewEnv(t, apptest.Env{"STOA_LOG_LEVEL": "info", "STOA_WITH_WORKER": "true"})
	container := bundle{t: t, dir: dir, name: "stoa-" + run(), image: i, secrets: t.TempDir()}
	container.configure(env)

	began = time.Now()
	if out, err := container.run("migrate"); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
	done("`stoa migrate` by the image", began, "the databases are up to date")

	began = time.Now()
	p := apptest.At(t, env)
	container.write(i.Config.Cmd...)
	var log bytes.Buffer
	serve := container.runc("run", container.name)
	serve.Stdout, serve.Stderr = &log, &log
	process, err := child.Start(serve, child.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = container.runc("delete", "--force", container.name).Run(); _ = process.Stop() })
	apptest.Eventually(t, time.Minute, "the container answers", p.Answers)
	done("`stoa serve`, as user 65532, its root read-only, without capabilities", began, "it answers")
	grantsNothing(t, container)

	began = time.Now()
	out, err := container.runc("exec", "--user", "65532:65532", container.name, "/usr/bin/stoa", "health").CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"ready"`) {
		t.Errorf("stoa health within the container: %v: %s\n%s", err, out, log.String())
	}
	done("`stoa health` within it", began, "ready")

	began = time.Now()
	p.Sell(t, top)
	done("from sign-up to a paid order on its way", began, "one order")

	began = time.Now()
	if out, err := container.runc("kill", container.name, "TERM").CombinedOutput(); err != nil {
		t.Fatalf("end it: %v: %s", err, out)
	}
	select {
	case <-process.Done():
		if process.Err() != nil {
			t.Errorf("it ended with %v\n%s", process.Err(), log.String())
		}
	case <-time.After(40 * time.Second):
		t.Errorf("it does not end\n%s", log.String())
	}
	done("ended by SIGTERM", began, "in order, with 0")
	rehearsal.Publish(t, "image", steps)
}

// configure hands the container the environment of a program, its secrets as files.
func (b *bundle) configure(env apptest.Env) {
	env = maps.Clone(env)
	delete(env, "STOA_DATA_DIR") // the image says where
	for _, secret := range []string{"STOA_DATABASE_URL", "STOA_CELLS", "STOA_REDIS_URL", "STOA_SECRET_KEYS"} {
		if err := os.WriteFile(filepath.Join(b.secrets, secret), []byte(env[secret]+"\n"), 0o644); err != nil {
			b.t.Fatal(err)
		}
		env[secret+"_FILE"] = "/run/secrets/" + secret
		delete(env, secret)
	}
	if err := os.Chmod(b.secrets, 0o755); err != nil {
		b.t.Fatal(err)
	}
	for name, value := range env {
		b.env = append(b.env, name+"="+value)
	}
}

// holdsNothingElse checks what is in the image, and what it says of itself.
func holdsNothingElse(t *testing.T, i image, files map[string]tar.Header) {
	t.Helper()
	if names := slices.Sorted(maps.Keys(files)); !slices.Equal(names, []string{"/usr/bin/stoa", "/usr/share/doc/stoa/LICENSE"}) {
		t.Errorf("it holds %v", names)
	}
	if stoa := files["/usr/bin/stoa"]; stoa.Mode&0o7777 != 0o555 || stoa.Uid != 0 {
		t.Errorf("the program's mode is %o, and it is %d's", stoa.Mode, stoa.Uid)
	}
	if i.Config.User != "65532:65532" || !slices.Equal(i.Config.Entrypoint, []string{"/usr/bin/stoa"}) || !slices.Equal(i.Config.Cmd, []string{"serve"}) {
		t.Errorf("it is configured as %+v", i.Config)
	}
	commit, err := exec.Command("git", "-C", top, "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{
		"title": "Stoa", "licenses": "Apache-2.0", "source": "https://github.com/stoacommerce/stoa", "revision": strings.TrimSpace(string(commit)),
	} {
		if got := i.Config.Labels["org.opencontainers.image."+label]; got != want {
			t.Errorf("its label %s is %q, want %q", label, got, want)
		}
	}
	for _, label := range []string{"version", "created"} {
		if i.Config.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("it has no label %s", label)
		}
	}
}

// isToldOf checks that what lies beside the image is about it.
func isToldOf(t *testing.T, i image, made string) {
	t.Helper()
	var bill struct {
		BOMFormat  string
		Components []struct{ Name string }
	}
	var provenance struct {
		PredicateType string
		Subject       []struct{ Digest map[string]string }
	}
	for name, into := range map[string]any{"stoa.cdx.json": &bill, "provenance.json": &provenance} {
		text, err := os.ReadFile(filepath.Join(made, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	names := map[string]bool{}
	for _, c := range bill.Components {
		names[c.Name] = true
	}
	if bill.BOMFormat != "CycloneDX" || !names["github.com/jackc/pgx/v5"] || !names["golang.org/x/crypto/x509roots/fallback"] {
		t.Errorf("the SBOM names %d components of %s", len(names), bill.BOMFormat)
	}
	if len(provenance.Subject) != 1 || "sha256:"+provenance.Subject[0].Digest["sha256"] != i.Digest {
		t.Errorf("the provenance is about %v, the image is %s", provenance.Subject, i.Digest)
	}
}

// grantsNothing looks at what the kernel grants the running program.
func grantsNothing(t *testing.T, b bundle) {
	t.Helper()
	state, err := b.runc("state", b.name).Output()
	if err != nil {
		t.Fatal(err)
	}
	var is struct{ PID int }
	of(t, state, &is)
	rehearsal.Confined(t, is.PID)
}

// run is a name that no other run has.
func run() string {
	id := ids.New("run")
	return id[len(id)-10:]
}
