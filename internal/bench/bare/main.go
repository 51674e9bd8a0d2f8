// Bare is what the program is measured against: a handler of net/http and pgx alone that
// runs a statement of the program's without key, limit, permission, validation or wall,
// and writes the same bytes. It takes what it is to do as JSON on its standard input,
// prints its address, and serves until it is killed:
//
//	/database    runs the statement, as pgx does by itself: prepared once a connection
//	/described   runs it as the program does: described once, planned each time
//	/memory      writes bytes that it was given
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Task is what it is to do.
type Task struct {
	Database    string // the address, as a role that may read the schema
	Schema      string
	Connections int32
	SQL         string // gives one text: a position, a line feed, a JSON array
	Args        []string
	Tail        string // what follows the array in an answer
	Memory      string // what /memory writes
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var task Task
	if err := json.NewDecoder(os.Stdin).Decode(&task); err != nil {
		return fmt.Errorf("read the task: %w", err)
	}
	mux := http.NewServeMux()
	for path, mode := range map[string]pgx.QueryExecMode{
		"/database": pgx.QueryExecModeCacheStatement, "/described": pgx.QueryExecModeCacheDescribe,
	} {
		config, err := pgxpool.ParseConfig(task.Database)
		if err != nil {
			return fmt.Errorf("read the database's address: %w", err)
		}
		config.MaxConns = task.Connections
		config.ConnConfig.RuntimeParams["search_path"] = task.Schema + ", ext"
		config.ConnConfig.DefaultQueryExecMode = mode
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		defer pool.Close()
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			body, err := task.answer(r.Context(), pool)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			write(w, body)
		})
	}
	memory := []byte(task.Memory)
	mux.HandleFunc("GET /memory", func(w http.ResponseWriter, _ *http.Request) { write(w, memory) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, mux) //nolint:gosec // a server without bounds is what is to be measured
}

// answer runs the statement and gives the body.
func (t *Task) answer(ctx context.Context, pool *pgxpool.Pool) ([]byte, error) {
	args := make([]any, len(t.Args))
	for i, arg := range t.Args {
		args[i] = arg
	}
	var raw []byte
	if err := pool.QueryRow(ctx, t.SQL, args...).Scan(&raw); err != nil {
		return nil, fmt.Errorf("run the statement: %w", err)
	}
	_, data, _ := bytes.Cut(raw, []byte("\n"))
	body := make([]byte, 0, len(data)+len(t.Tail)+16)
	return append(append(append(body, `{"data":`...), data...), t.Tail...), nil
}

func write(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // a client that left cannot be told
}
