package compose_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// TestBackupsAreThoseOfTheOneServer holds the services that keep the database against the
// settings in deploy/backup, which they are handed.
func TestBackupsAreThoseOfTheOneServer(t *testing.T) {
	project := load(t, production)
	made, err := os.ReadFile(filepath.Join(makeSecrets(t), "pgbackrest.conf"))
	if err != nil {
		t.Fatal(err)
	}
	conf := map[string]string{}
	for line := range strings.Lines(string(made)) {
		if name, value, set := strings.Cut(strings.TrimSpace(line), "="); set && !strings.HasPrefix(name, "#") {
			conf[name] = value
		}
	}
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(conf["repo1-cipher-pass"]) {
		t.Errorf("the repository's passphrase is %q", conf["repo1-cipher-pass"])
	}
	mounted := func(service, at string) *types.ServiceVolumeConfig {
		i := slices.IndexFunc(project.Services[service].Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == at })
		if i < 0 {
			t.Fatalf("%s has nothing at %q", service, at)
		}
		return &project.Services[service].Volumes[i]
	}
	for _, service := range []string{"postgres", "stanza", "backup"} {
		s := project.Services[service]
		if !slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool {
			return c.Source == "pgbackrest.conf" && c.Target == "/etc/stoa/pgbackrest.conf"
		}) {
			t.Errorf("%s is not told of the repository", service)
		}
		if mounted(service, conf["pg1-path"]).Source != "postgres" || mounted(service, conf["repo1-path"]).Source != "backups" {
			t.Errorf("%s has other volumes at %s and %s", service, conf["pg1-path"], conf["repo1-path"])
		}
		if conf["pg1-socket-path"] != "/var/run/postgresql" || mounted(service, "/run/postgresql").Source != "socket" {
			t.Errorf("%s has no socket where it is sought", service)
		}
	}
	// The settings are where Postgres looks for them, and archive by what the others read.
	main, err := os.ReadFile("postgres/postgresql.conf")
	if err != nil || !strings.Contains(string(main), "\ninclude_dir = 'conf.d'\n") {
		t.Errorf("Postgres includes nothing: %v", err)
	}
	kept, err := os.ReadFile(mounted("postgres", "/etc/postgresql/conf.d/stoa-backup.conf").Source)
	if err != nil || !strings.Contains(string(kept), "'pgbackrest --config=/etc/stoa/pgbackrest.conf --stanza=stoa archive-push %p'") {
		t.Errorf("Postgres archives otherwise: %v", err)
	}
	if got := *project.Services["backup"].Environment["STOA_BACKUP_REPOSITORY"]; got != "/etc/stoa/pgbackrest.conf" {
		t.Errorf("the worker's repository is %s", got)
	}
	if !slices.Contains(project.Services["stanza"].Entrypoint, "--config=/etc/stoa/pgbackrest.conf") {
		t.Errorf("the stanza is made by %v", project.Services["stanza"].Entrypoint)
	}
}
