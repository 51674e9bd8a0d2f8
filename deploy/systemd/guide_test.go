//go:build rehearse

package systemd_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/internal/rehearsal"
)

// machine is a Debian of its own, in a folder, which systemd-nspawn boots without a network.
type machine struct {
	t    *testing.T
	root string
}

// TestRehearseOneServer goes through docs/production.md on a fresh Debian, block by block as
// it stands there, sells, changes the version, and boots once more.
func TestRehearseOneServer(t *testing.T) {
	guide, err := os.ReadFile("../../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := blocksOf(string(guide))
	m := &machine{t, filepath.Join(t.TempDir(), "debian")}
	var steps []rehearsal.Step
	step := func(what, came string, do func()) {
		began := time.Now()
		do()
		steps = append(steps, rehearsal.Step{Done: what, Took: time.Since(began), Came: came, Lost: "nothing"})
	}

	step("a fresh Debian, and the packages of the guide", "installed", func() {
		m.debian()
		monitoring, _, _ := strings.Cut(blocks["Metrics and alerts"], "\n") // typed again where there is no network, it finds all of it there
		m.prepare(blocks["What it stands on"] + monitoring + "\n" + postOffice)
	})
	m.release("root/stoa", apptest.Build(t))
	m.release("root/next", apptest.Build(t, "-ldflags", "-X main.version=next"))

	step("the guide's commands, from the user to the first backup and the first alert", "a store is signed up and an order paid, by HTTPS; all databases are restored elsewhere and the same; nine targets are up, and an alert is in the mailbox", func() {
		out := m.boot(blocks["A user, its folders, the program"], blocks["Postgres and Redis"], blocks["Secrets"], certificate,
			blocks["Certificate and Nginx"], blocks["Firewall"], blocks["Start"], verified, sale("first"), blocks["Backups"], shared, delivering, "cd /root/stoa\n"+blocks["Metrics and alerts"], seen, mailed)
		if !strings.Contains(out, "sold first") || !strings.Contains(out, "This is opk_") {
			t.Errorf("the guide was gone through, and yet:\n%s", out)
		}
		for _, kind := range []string{"full stoa", "files", "restore_test stoa"} {
			if !regexp.MustCompile(`(?m)^` + kind + `\s*: succeeded`).MatchString(out) {
				t.Errorf("%s did not succeed:\n%s", kind, out)
			}
		}
	})
	step("the machine boots again; then another version, as the guide has it", "all services came by themselves; the version is the other, and an order paid", func() {
		out := m.boot(`systemctl is-system-running --wait || true
			for unit in stoa@1 stoa@2 stoa-worker stoa-backup nginx postgresql redis-server nftables prometheus prometheus-alertmanager prometheus-{node,postgres,redis,nginx,blackbox}-exporter; do systemctl is-active $unit; done`, sale("second"), seen, typed,
			"cd /root/next\n"+blocks["Another version"], "stoa version", sale("third"))
		for _, want := range []string{"sold second", "sold third", "stoa next"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is not told:\n%s", want, out)
			}
		}
	})
	rehearsal.Publish(t, "server", steps)
}

// blocksOf are the guide's commands by the heading above them.
func blocksOf(guide string) map[string]string {
	blocks, heading := map[string]string{}, ""
	code := regexp.MustCompile("(?s)```sh\n(.*?)```")
	for _, part := range regexp.MustCompile(`(?m)^#{2,3} `).Split(guide, -1) {
		heading, _, _ = strings.Cut(part, "\n")
		for _, found := range code.FindAllStringSubmatch(part, -1) {
			blocks[heading] += found[1]
		}
	}
	return blocks
}

// certificate stands for what an authority would have given by DNS.
const certificate = `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=shops.example \
	-addext "subjectAltName=DNS:shops.example,DNS:*.shops.example" -keyout /etc/stoa/tls/tls.key -out /etc/stoa/tls/tls.crt
	cp /etc/stoa/tls/tls.crt /usr/local/share/ca-certificates/shops.example.crt
	update-ca-certificates`

// postOffice and delivering have mail.shops.example be a mail server, which takes mail by TLS for one mailbox.
const (
	postOffice = "apt-get install -y --no-install-recommends postfix iproute2\n"
	delivering = `useradd --create-home operations
	postconf -e myhostname=mail.shops.example 'mydestination=shops.example' inet_interfaces=loopback-only inet_protocols=ipv4 maillog_file=/var/log/postfix.log \
		smtpd_tls_security_level=may smtpd_tls_cert_file=/etc/stoa/tls/tls.crt smtpd_tls_key_file=/etc/stoa/tls/tls.key
	postconf -M 'submission/inet=submission inet n - n - - smtpd'
	systemctl restart postfix`
)

// seen holds what Prometheus knows against what there is: all targets, by whom they are asked, and rules that can be evaluated.
const seen = `
	know() { for try in $(seq 60); do promtool query instant http://127.0.0.1:9090 "$1" | grep . && return; sleep 1; done; echo "not known: $1"; promtool query instant http://127.0.0.1:9090 up; return 1; }
	for try in $(seq 60); do curl -s http://127.0.0.1:9090/api/v1/targets >targets; test $(grep -o '"health":"up"' targets | wc -l) = 9 && break; sleep 1; done
	test $(grep -o '"health":"[a-z]*"' targets | grep -c up) = 9 || { cat targets; false; }
	rm targets
	know 'redis_up == 1'
	know 'nginx_up == 1'
	know 'probe_success{job="front-door"} == 1'
	know 'stoa_postgres_limits_connections{cell="main"} == 200'
	know 'stoa_postgres_schemas_stores{state="current"} > 0'
	know 'node_filesystem_avail_bytes{mountpoint="/"} > 0'
	know 'count by (job) (stoa_backup_last_success_timestamp_seconds)'
	test $(curl -s http://127.0.0.1:9090/api/v1/rules | grep -o '"health":"ok"' | wc -l) -gt 50
	test -z "$(curl -s http://127.0.0.1:9090/api/v1/rules | grep -o '"health":"err"')"
	curl -s http://127.0.0.1:9090/api/v1/alertmanagers | grep -q '"url":"http://127.0.0.1:9093'
	test -z "$(ss -Hltn | grep -E ':(9090|9093|9094|9100|9113|9115|9121|9187) ' | grep -v 127.0.0.1)"
	test "$(stat -c %a /etc/default/prometheus-postgres-exporter /etc/default/prometheus-redis-exporter | sort -u)" = 600`

// mailed waits for the alert that the guide raised.
const mailed = `for try in $(seq 60); do grep -q 'Does anybody read this' /var/mail/operations && break; sleep 1; done
	grep -m1 '^Subject:.*Rehearsal' /var/mail/operations`

// verified holds the units against what systemd thinks of them, and the firewall and the ports
// against what may be reached.
const verified = `systemd-analyze verify stoa@1.service stoa-worker.service stoa-backup.service stoa-migrate.service
	for unit in stoa@1 stoa-worker; do systemd-analyze security --threshold=20 $unit.service | tail -1; done
	nft list chain inet filter input | grep -q 'policy drop'
	test -z "$(find /etc/stoa/secrets -type f -perm /007)"
	su -s /bin/sh www-data -c '! cat /etc/stoa/secrets/database_url 2>/dev/null'`

// shared holds what both workers write against their sharing it, and nobody else.
const shared = `test -s /root/stoa-backup.key
	grep -q '^STOA_BACKUP_RECIPIENT=age1' /etc/stoa/stoa.env
	test -z "$(find /var/lib/stoa/files /var/backups/stoa -type d -not -perm -g=rwx)"
	test -n "$(find /var/backups/stoa -type f)"
	test -z "$(find /var/backups/stoa -not -group stoa -or -type f -not -perm 0660)"
	su -s /bin/sh www-data -c '! cat /etc/stoa/pgbackrest.conf 2>/dev/null && ! ls /var/backups/stoa 2>/dev/null'`

// typed are the commands of docs/runbooks that ask systemd.
const typed = `systemctl status nginx
	systemctl restart nginx
	systemctl status 'prometheus-*'
	curl -s 127.0.0.1:9187/metrics | head
	systemctl stop prometheus-postgres-exporter
	know 'up{job="postgres"} == 0'
	systemctl restart prometheus-postgres-exporter
	STOA_DATABASE_URL=$(cat /etc/stoa/secrets/database_url)
	psql "$STOA_DATABASE_URL" -v password="'$(sed -n 's/.*stoa_exporter:\(.*\)@.*/\1/p' /etc/default/prometheus-postgres-exporter)'" -f observability/exporters/postgres.sql
	know 'stoa_postgres_limits_connections == 200'
	journalctl --vacuum-size=500M
	journalctl -o cat -u 'stoa*' --since -1h > stoa.log
	grep -q '^{.*"msg":"request"' stoa.log
	rm stoa.log`

// sale signs a store up and pays an order in its sandbox, through Nginx.
func sale(name string) string {
	return `
	api() { curl --silent --show-error --fail-with-body --cacert /etc/stoa/tls/tls.crt --resolve shops.example:443:127.0.0.1 -H 'Content-Type: application/json' -H "Idempotency-Key: ` + name + `-$1-$RANDOM" "${@:3}" https://shops.example/v1/$2; }
	first() { grep -o "\"$1_[0-9a-z_A-Z]*\"" | head -1 | tr -d '"'; }
	STORE=$(api 1 signup -d '{"email": "owner-` + name + `@example.com", "password": "seven purple lanterns at dusk", "account_name": "Ada Example", "store_name": "Linen", "store_address": "linen-` + name + `", "country": "DE", "currency": "EUR"}')
	SECRET=$(echo "$STORE" | sed 's/.*"test":{[^}]*"secret":"\([^"]*\)".*/\1/') SHOP=$(echo "$STORE" | sed 's/.*"test":{[^}]*"publishable":"\([^"]*\)".*/\1/')
	VARIANT=$(api 2 products -H "Authorization: Bearer $SECRET" -d '{"title": "Towel", "status": "active", "variants": [{"prices": [{"amount": 1900, "currency": "EUR"}], "stock_quantity": 9}]}' | first var)
	METHOD=$(api 3 shipping-methods -H "Authorization: Bearer $SECRET" -d '{"name": "Parcel", "prices": [{"amount": 490, "currency": "EUR"}]}' | first shp)
	CART=$(api 4 shop/carts -H "Authorization: Bearer $SHOP" -d '{"currency": "EUR", "email": "shopper@example.com", "lines": [{"variant_id": "'$VARIANT'", "quantity": 1}]}')
	ID=$(echo "$CART" | first cart) TOKEN="Cart-Token: $(echo "$CART" | sed 's/.*"token":"\([^"]*\)".*/\1/')"
	TOTAL=$(api 5 shop/carts/$ID -X PATCH -H "Authorization: Bearer $SHOP" -H "$TOKEN" -H 'Content-Type: application/merge-patch+json' -d '{"shipping_method_id": "'$METHOD'", "shipping_address": {"name": "Grace Example", "line1": "1 Sample Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}}' | grep -o '"total":{[^}]*}' | tail -1 | cut -d: -f2-)
	ORDER=$(api complete shop/carts/$ID/complete -H "Authorization: Bearer $SHOP" -H "$TOKEN" -d '{"payment": {"provider": "test", "token": "succeeds"}, "expected_total": '"$TOTAL"'}')
	echo "$ORDER" | grep '"payment_state" *: *"paid"' >/dev/null
	echo sold ` + name
}

// debian makes the smallest Debian that boots, from where this machine has its own packages.
func (m *machine) debian() {
	m.t.Helper()
	sources, err := exec.Command("sh", "-c", `cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v '^#' | grep -o 'https\?://[^ ]*/debian' | head -1`).Output()
	mirror := strings.TrimSpace(string(sources))
	if err != nil || mirror == "" {
		m.t.Fatalf("where this machine has its packages from cannot be told: %v", err)
	}
	m.run("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", "bookworm", m.root, mirror)
}

// prepare runs commands in the machine before it boots, while it has a network. Nothing is
// started by them.
func (m *machine) prepare(commands string) {
	m.t.Helper()
	policy := filepath.Join(m.root, "usr/sbin/policy-rc.d")
	if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		m.t.Fatal(err)
	}
	m.run("systemd-nspawn", "--quiet", "--directory", m.root, "--register=no", "--keep-unit", "--resolv-conf=replace-host", "--pipe", "bash", "-euc", "export DEBIAN_FRONTEND=noninteractive\n"+commands)
	if err := os.Remove(policy); err != nil {
		m.t.Fatal(err)
	}
}

// release unpacks a release in a folder of the machine.
func (m *machine) release(folder, binary string) {
	m.t.Helper()
	bin := filepath.Join(m.root, folder, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		m.t.Fatal(err)
	}
	m.run("cp", binary, filepath.Join(bin, "stoa"))
	m.run("cp", "-r", "../../deploy", "../../observability", filepath.Join(m.root, folder))
}

// boot boots the machine, runs blocks of commands one after the other, each in a shell of its
// own in the folder that the one before left off in, and ends it. It gives what they printed.
func (m *machine) boot(blocks ...string) string {
	m.t.Helper()
	script := "cd /root/stoa\nset -eux\nexec >/root/told 2>&1\ntrap 'echo ended with $?; systemctl poweroff' EXIT\n" + strings.Join(blocks, "\n") + "\necho all done\n"
	unit := "[Unit]\nAfter=multi-user.target\n[Service]\nType=exec\nEnvironment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root\nExecStart=/bin/bash /root/guide\n"
	for name, text := range map[string]string{
		"root/guide": script, "root/told": "", "etc/systemd/system/guide.service": unit,
		"etc/hosts": "127.0.0.1 localhost shops.example mail.shops.example\n",
	} {
		if err := os.WriteFile(filepath.Join(m.root, name), []byte(text), 0o644); err != nil {
			m.t.Fatal(err)
		}
	}
	link := filepath.Join(m.root, "etc/systemd/system/multi-user.target.wants/guide.service")
	if err := os.Symlink("/etc/systemd/system/guide.service", link); err != nil && !errors.Is(err, fs.ErrExist) {
		m.t.Fatal(err)
	}
	command := exec.Command("systemd-nspawn", "--quiet", "--directory", m.root, "--register=no", "--keep-unit", "--private-network", "--boot", "--console=pipe", "--machine=stoa-guide")
	var console bytes.Buffer
	command.Stdout, command.Stderr = &console, &console
	if err := command.Start(); err != nil {
		m.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case <-ended: // how it ended is told by the script
	case <-time.After(10 * time.Minute):
		_ = command.Process.Signal(syscall.SIGTERM) // it ends in order, and leaves no process behind
		<-ended
	}
	told, err := os.ReadFile(filepath.Join(m.root, "root/told"))
	if err != nil || !strings.Contains(string(told), "\nall done\n") {
		journal, _ := exec.Command("journalctl", "--no-pager", "--lines=60", "--directory", filepath.Join(m.root, "var/log/journal")).CombinedOutput()
		m.t.Fatalf("the commands did not come to their end: %v\n%s\nthe console:\n%.3000s\nthe journal:\n%s", err, told, console.String(), journal)
	}
	return string(told)
}

func (m *machine) run(program string, arguments ...string) {
	m.t.Helper()
	if out, err := exec.Command(program, arguments...).CombinedOutput(); err != nil {
		m.t.Fatal(fmt.Errorf("%s %q: %w\n%s", program, arguments, err, out[max(0, len(out)-4000):]))
	}
}
