package embedded

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// childVariable makes the test binary a program that starts services in a directory,
// says so, and waits to be killed.
const childVariable = "STOA_TEST_EMBEDDED_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		serveUntilKilled(dir)
		return
	}
	root, err := os.MkdirTemp(reachableTemp(), "stoa-fallback-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = os.Chmod(root, 0o755)
	fallbackRoots = []string{filepath.Join(root, "first"), filepath.Join(root, "second")}
	code := m.Run()
	_ = os.RemoveAll(root)
	os.Exit(code)
}

func serveUntilKilled(dir string) {
	ctx := context.Background()
	o, r := PostgresOptions{Fast: true}, RedisOptions{}
	if dir != "temporary" {
		o, r = PostgresOptions{Dir: filepath.Join(dir, "postgres")}, RedisOptions{Dir: filepath.Join(dir, "redis")}
	}
	postgres, err := StartPostgres(ctx, o)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	redis, err := StartRedis(ctx, r)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println("ready", postgres.PID(), redis.PID(), postgres.URL(), redis.URL(), postgres.home.dir)
	select {}
}

// program is such a program, running.
type program struct {
	cmd                  *exec.Cmd
	postgresPID, redisID int
	postgresURL          string
	redisURL             string
	home                 string
}

func startChild(t *testing.T, dir string) *program {
	t.Helper()
	c := &program{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childVariable+"="+dir)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill(); _ = c.cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child said %q: %v", line, err)
	}
	if _, err := fmt.Sscanf(line, "ready %d %d %s %s %s", &c.postgresPID, &c.redisID, &c.postgresURL, &c.redisURL, &c.home); err != nil {
		t.Fatalf("the child said %q: %v", line, err)
	}
	return c
}

// kill ends the child as a power cut would.
func (c *program) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait()
}

// eventually waits until what holds is true.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not so after 15 s: %s", what)
}

func gone(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil {
		return true
	}
	// A zombie waits for whoever adopted it, and does nothing any more.
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Contains(string(b), ") Z ")
}

func query[T any](t *testing.T, address, sql string) (value T) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := conn.QueryRow(ctx, sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func execute(t *testing.T, address, sql string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
