package app

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/stoacommerce/stoa/platform/secrets"
)

// production is a configuration that production starts with.
func production(t *testing.T) []string {
	t.Helper()
	key, err := secrets.NewKey("k1")
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"STOA_ENV=production", "STOA_BASE_DOMAIN=shops.example", "STOA_SECRET_KEYS=" + key.Reveal(),
		"STOA_DATABASE_URL=postgres://stoa:h4rd-t0-gu3ss@db/stoa", "STOA_REDIS_URL=rediss://:h4rd-t0-gu3ss@redis:6379/0",
		"STOA_SMTP_URL=smtps://stoa:h4rd-t0-gu3ss@mail", "STOA_MAIL_FROM=Shops <post@shops.example>",
	}
}

// faultsOf loads a configuration that is wrong and gives its faults.
func faultsOf(t *testing.T, environ ...string) map[string]ConfigFault {
	t.Helper()
	_, err := LoadConfig(environ, nil)
	var wrong *ConfigError
	if !errors.As(err, &wrong) {
		t.Fatalf("%v: answered %v, want faults", environ, err)
	}
	faults := map[string]ConfigFault{}
	for _, f := range wrong.Faults {
		faults[f.Variable] = f
	}
	return faults
}

func TestDefaultsStartADevelopmentMachine(t *testing.T) {
	c, err := LoadConfig(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Env != Development || !c.Database.Embedded() || !c.Redis.Embedded() || !c.Mail.Mailbox || !c.Security.WebhookAllowHTTP {
		t.Errorf("development is not embedded and open: %+v", c)
	}
	if c.HTTP.Addr != ":8080" || c.Ops.Addr != "127.0.0.1:8081" || c.HTTP.MaxBody != 1<<20 || c.Log.Level != slog.LevelInfo {
		t.Errorf("defaults are %+v, %+v", c.HTTP, c.Log)
	}
	if got := c.Site.PublicURL.String(); got != "http://localhost:8080" {
		t.Errorf("the public address is %s", got)
	}
	if got := c.Site.StoreURL("acorn").String(); got != "http://acorn.localhost:8080/" {
		t.Errorf("a shop is at %s", got)
	}
	if !filepath.IsAbs(c.DataDir) || c.Files.Dir != filepath.Join(c.DataDir, "files") {
		t.Errorf("data in %s, files in %s", c.DataDir, c.Files.Dir)
	}
}

func TestProductionStartsWithWhatItNeeds(t *testing.T) {
	c, err := LoadConfig(production(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Security.WebhookAllowHTTP || c.Mail.Mailbox || c.Log.Format != "json" || c.HTTP.DrainDelay != 5*time.Second || c.API.ResponseSample != 0.01 {
		t.Errorf("production has development's defaults: %+v", c)
	}
	if got := c.Site.StoreURL("acorn").String(); got != "https://acorn.shops.example/" {
		t.Errorf("a shop is at %s", got)
	}
	if len(c.Database.Cells) != 1 || c.Database.Cells[0].Name != "main" || !c.Database.Cells[0].URL.Equal(c.Database.URL.Reveal()) {
		t.Errorf("cells are %+v", c.Database.Cells)
	}
}

func TestProductionNamesAllThatItRefuses(t *testing.T) {
	faults := faultsOf(t, "STOA_ENV=production", "STOA_WEBHOOK_ALLOW_HTTP=true", "STOA_MAILBOX=true", "STOA_BCRYPT_COST=4")
	for _, variable := range []string{
		"STOA_DATABASE_URL", "STOA_REDIS_URL", "STOA_SECRET_KEYS", "STOA_WEBHOOK_ALLOW_HTTP", "STOA_MAILBOX",
		"STOA_SMTP_URL", "STOA_MAIL_FROM", "STOA_BASE_DOMAIN", "STOA_BCRYPT_COST",
	} {
		if _, named := faults[variable]; !named {
			t.Errorf("%s is not named", variable)
		}
	}
	_, err := LoadConfig(append(production(t), "STOA_PUBLIC_URL=http://shops.example"), nil)
	if err == nil || !strings.Contains(err.Error(), "STOA_PUBLIC_URL") {
		t.Errorf("a public address without TLS: %v", err)
	}
	for _, given := range []string{
		"STOA_DATABASE_URL=postgres://postgres:postgres@db/stoa", "STOA_REDIS_URL=redis://:changeme@redis/0",
		"STOA_CELLS=a=postgres://u:password@a/x", "STOA_SMTP_URL=smtp://u:secret@mail",
	} {
		variable, _, _ := strings.Cut(given, "=")
		_, err := LoadConfig(append(production(t), given), nil)
		if err == nil || !strings.Contains(err.Error(), variable+" has a default password") {
			t.Errorf("%s: %v", variable, err)
		}
	}
	staging := faultsOf(t, "STOA_ENV=staging", "STOA_WEBHOOK_ALLOW_HTTP=true")
	if _, named := staging["STOA_WEBHOOK_ALLOW_HTTP"]; !named || len(staging) != 1 {
		t.Errorf("staging refuses %v", staging)
	}
}

func TestAFaultNamesTheVariableTheProblemAndTheRemedy(t *testing.T) {
	for given, problem := range map[string]string{
		"STOA_ENV=prod":                                `("prod") is none of them`,
		"STOA_HTTP_ADDR=8080":                          `("8080") is not an address to listen on`,
		"STOA_HTTP_ADDR=:http":                         "has no port from 0 to 65535",
		"STOA_HTTP_ADDR=a b:80":                        "has no host",
		"STOA_OPS_ADDR=:8080":                          "is STOA_HTTP_ADDR too",
		"STOA_BASE_DOMAIN=https://x":                   "is not a host name",
		"STOA_BASE_DOMAIN=127.0.0.1":                   "is an address, not a name",
		"STOA_PUBLIC_URL=ftp://localhost":              "does not begin with http:// or https://",
		"STOA_PUBLIC_URL=http://localhost/shop":        "has a path",
		"STOA_PUBLIC_URL=http://elsewhere:8080":        "is not at STOA_BASE_DOMAIN",
		"STOA_PUBLIC_URL=http://u:p@localhost":         "has more than",
		"STOA_PUBLIC_URL=http://:8080":                 "names no host",
		"STOA_TRUSTED_PROXIES=10.0.0.0/8,nginx":        "neither an address nor a network",
		"STOA_TRUSTED_PROXIES=10.1.0.0/8":              "did you mean 10.0.0.0/8?",
		"STOA_READ_TIMEOUT=30":                         "is not a duration",
		"STOA_READ_TIMEOUT=1ms":                        "is out of range",
		"STOA_MAX_BODY=5":                              "is not a size",
		"STOA_MAX_BODY=2GB":                            "is out of range",
		"STOA_MAX_UPLOAD=2KB":                          "is less than STOA_MAX_BODY",
		"STOA_CELL_LOGINS=two":                         "is not a whole number",
		"STOA_CELL_LOGINS=2":                           "is too few for STOA_CELL_MAX_STORES (1000): at least 4",
		"STOA_WORKERS=0":                               "is out of range",
		"STOA_MAILBOX=perhaps":                         "is neither",
		"STOA_MAIL_FROM=nobody":                        "is not a mail address",
		"STOA_TRACE_RATIO=2":                           "is out of range",
		"STOA_TRACE_RATIO=NaN":                         "is out of range",
		"STOA_TRACE_RATIO=few":                         "is not a number",
		"STOA_LOG_LEVEL=loud":                          "is none of them",
		"STOA_OTLP_ENDPOINT=collector:4318":            "does not begin with",
		"STOA_SECRET_KEYS=k1:short":                    "is no key ring",
		"STOA_REDIS_URL=http://redis":                  "does not begin with redis:// or rediss://",
		"STOA_DATABASE_URL=postgres:///stoa":           "names no host",
		"STOA_CELLS=a=postgres://h/a":                  "", // the control database is then the fault
		"STOA_CELLS=postgres://h/a":                    "does not begin with name=postgres://",
		"STOA_CELLS=A1=postgres://h/a":                 `a name that cannot be one ("A1")`,
		"STOA_CELLS=a=postgres://h/a,a=postgres://h/b": "names cell a twice",
		"STOA_CELLS=a=postgres://h/a,b=postgres://h/a": "the same database",
	} {
		variable, _, _ := strings.Cut(given, "=")
		if problem == "" {
			variable, problem = "STOA_DATABASE_URL", "is empty while STOA_CELLS names databases"
		}
		fault := faultsOf(t, given)[variable]
		if !strings.Contains(fault.Problem, problem) || fault.Want == "" {
			t.Errorf("%s: %+v, want a problem with %q", given, fault, problem)
		}
	}
}

func TestAllFaultsAreReportedAtOnceAndSecretsInNone(t *testing.T) {
	_, err := LoadConfig([]string{"STOA_DATABASE_URL=mysql://u:s3cr3t@h/x", "STOA_SECRET_KEYS=s3cr3t", "STOA_CELLS=b=postgres://u:s3cr3t%zz@h/a", "STOA_WORKERS=many"}, nil)
	if err == nil {
		t.Fatal("nothing was refused")
	}
	for _, want := range []string{"4 place(s)", "STOA_DATABASE_URL", "STOA_SECRET_KEYS", "STOA_CELLS", `STOA_WORKERS ("many")`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("a secret was told: %v", err)
	}
}

func TestValuesAreRead(t *testing.T) {
	c, err := LoadConfig([]string{
		"STOA_TRUSTED_PROXIES=10.0.0.0/8, 192.168.1.7,::1", "STOA_DATABASE_URL=postgres:///stoa?host=/run/postgresql",
		"STOA_CELLS=eu1=postgres://a:5432,b:5433/x?target_session_attrs=primary, eu2=postgres://c/y\nus1=postgresql://d/z",
		"STOA_LOG_LEVEL=DEBUG", "STOA_WITH_WORKER=1", "STOA_MAX_UPLOAD=64mb", "STOA_OTLP_ENDPOINT=http://otel:4318/",
		"STOA_FILES_DIR=/srv/files", "STOA_BASE_DOMAIN=Shops.Localhost", "STOA_HTTP_ADDR=127.0.0.1:80",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.1.7/32"), netip.MustParsePrefix("::1/128")}
	if !slices.Equal(c.HTTP.TrustedProxies, want) {
		t.Errorf("proxies are %v", c.HTTP.TrustedProxies)
	}
	var cells []string
	for _, cell := range c.Database.Cells {
		cells = append(cells, cell.Name+" "+cell.URL.Reveal())
	}
	if got := strings.Join(cells, " | "); got != "eu1 postgres://a:5432,b:5433/x?target_session_attrs=primary | eu2 postgres://c/y | us1 postgresql://d/z" {
		t.Errorf("cells are %s", got)
	}
	if c.Log.Level != slog.LevelDebug || !c.Jobs.WithWorker || c.HTTP.MaxUpload != 64<<20 || c.Trace.Endpoint.String() != "http://otel:4318" ||
		c.Files.Dir != "/srv/files" || c.Site.PublicURL.String() != "http://shops.localhost" {
		t.Errorf("values are %+v", c)
	}
}

func TestFlagsWinOverVariablesAndSecretsHaveNone(t *testing.T) {
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	BindFlags(flags)
	if flags.Lookup("database-url") != nil || flags.Lookup("secret-keys") != nil {
		t.Error("a secret can be given as a flag")
	}
	if err := flags.Parse([]string{"--http-addr=:9999", "--with-worker"}); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig([]string{"STOA_HTTP_ADDR=:7777", "STOA_WORKERS=3"}, flags)
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Addr != ":9999" || !c.Jobs.WithWorker || c.Jobs.Workers != 3 {
		t.Errorf("addr %s, with worker %v, workers %d", c.HTTP.Addr, c.Jobs.WithWorker, c.Jobs.Workers)
	}
	few := pflag.NewFlagSet("store", pflag.ContinueOnError)
	BindFlags(few, "STOA_ENV", "STOA_LOG_LEVEL")
	if few.Lookup("env") == nil || few.Lookup("http-addr") != nil {
		t.Error("BindFlags does not keep to the variables named")
	}
}

func TestSecretsComeFromFilesToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "redis")
	if err := os.WriteFile(file, []byte("redis://:pw@r/0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig([]string{"STOA_REDIS_URL_FILE=" + file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Redis.URL.Reveal() != "redis://:pw@r/0" || len(c.Warnings) != 0 {
		t.Errorf("read %q, warnings %v", c.Redis.URL.Reveal(), c.Warnings)
	}
	both := faultsOf(t, "STOA_REDIS_URL_FILE="+file, "STOA_REDIS_URL=redis://r")
	if !strings.Contains(both["STOA_REDIS_URL"].Problem, "one of them must go") {
		t.Errorf("both: %+v", both)
	}
	missing := faultsOf(t, "STOA_REDIS_URL_FILE=/nowhere")
	if !strings.Contains(missing["STOA_REDIS_URL"].Problem, "cannot be read from its file") {
		t.Errorf("missing: %+v", missing)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if empty := faultsOf(t, "STOA_REDIS_URL_FILE="+file); !strings.Contains(empty["STOA_REDIS_URL"].Problem, "is empty in its file") {
		t.Errorf("empty: %+v", empty)
	}
}

func TestMisspeltVariablesAreWarnedOf(t *testing.T) {
	c, err := LoadConfig([]string{"STOA_HTTP_ADRR=:1", "STOA_NONSENSE=1", "STOA_TEST_DATABASE_URL=x", "STOA_SERVICE_HOST=10.0.0.1", "STOA_PORT_8080_TCP=tcp://x", "OTHER=1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"STOA_HTTP_ADRR is set and means nothing; is STOA_HTTP_ADDR meant?", "STOA_NONSENSE is set and means nothing"}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings are %q", c.Warnings)
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	c, err := LoadConfig(append(production(t), "STOA_CELLS=a=postgres://u:h4rd-t0-gu3ss@a/x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	fmt.Fprintf(&printed, "%v %+v %#v", c, c, c)
	slog.New(slog.NewJSONHandler(&printed, nil)).Info("configuration", "config", c)
	if err := c.WriteValues(&printed); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(printed.String(), "gu3ss") || strings.Contains(printed.String(), c.Security.Keys.Reveal()) {
		t.Errorf("a secret was printed: %s", printed.String())
	}
	if !strings.Contains(printed.String(), "shops.example") || !strings.Contains(printed.String(), "[redacted]") {
		t.Errorf("values are missing: %s", printed.String())
	}
}

func TestEveryOptionIsCompleteAndInTheReference(t *testing.T) {
	var terminal, page bytes.Buffer
	if err := errors.Join(WriteReference(&terminal), WriteMarkdown(&page)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, o := range options {
		if seen[o.variable] || !strings.HasPrefix(o.variable, "STOA_") || o.doc == "" || o.form == "" || o.set == nil || !slices.Contains(groups, o.group) {
			t.Errorf("%s is incomplete or twice", o.variable)
		}
		seen[o.variable] = true
		if !strings.Contains(terminal.String(), o.variable) || !strings.Contains(page.String(), "`"+o.variable+"`") {
			t.Errorf("%s is not in the reference", o.variable)
		}
		if !strings.Contains(page.String(), o.doc[:min(20, len(o.doc))]) {
			t.Errorf("%s is not explained", o.variable)
		}
	}
	for i, line := range strings.Split(terminal.String(), "\n") {
		if len(line) > 130 {
			t.Errorf("line %d has %d characters: %s", i+1, len(line), line)
		}
	}
}

func TestThePageOfTheDocumentationIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := WriteMarkdown(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../docs/configuration.md")
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("docs/configuration.md is not what the table makes; run make generate (%v)", err)
	}
}

func TestHowLargeACellMayBecome(t *testing.T) {
	env := []string{"STOA_DATABASE_URL=postgres://a@db/stoa", "STOA_REDIS_URL=redis://cache:6379/0", "STOA_CELLS=main=postgres://a@db/stoa,west=postgres://a@west/stoa"}
	for text, wrong := range map[string]string{"500": "no size", "GB": "no size", "main=0GB": "out of range", "2000TB": "out of range", "east=2TB": `names "east"`, "500GB, 1TB": "no size"} {
		if _, err := LoadConfig(append(env, "STOA_CELL_MAX_BYTES="+text), nil); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string][2]int64{"": {0, 0}, "500GB": {500 << 30, 500 << 30}, "west=2tb": {0, 2 << 40}, "500GB,west=2TB": {500 << 30, 2 << 40}, "main=1GB,500GB": {1 << 30, 500 << 30}} {
		c, err := LoadConfig(append(env, "STOA_CELL_MAX_BYTES="+text), nil)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := [2]int64{c.cellBytesOf("main"), c.cellBytesOf("west")}; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
