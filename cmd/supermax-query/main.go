// Supermax-query answers SQL about studies on this machine: it reads the Parquet files
// below the folders that it is given, each one study's objects, and answers the query on
// its standard input as JSON. It is a program of its own because DuckDB needs cgo and
// supermax does without; supermax query finds it beside itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The exit statuses.
const (
	exitFailed = 1
	exitQuery  = 2 // the query or a folder is wrong
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

func run(ctx context.Context, folders []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if err := respond(ctx, folders, stdin, stdout); err != nil {
		fmt.Fprintln(stderr, strings.ReplaceAll(err.Error(), "\n", " "))
		if errors.Is(err, errQuery) {
			return exitQuery
		}
		return exitFailed
	}
	return 0
}

func respond(ctx context.Context, folders []string, stdin io.Reader, stdout io.Writer) error {
	if len(folders) == 0 {
		return wrong(errors.New("usage: supermax-query FOLDER... < QUERY, each folder a study's objects (runs/<study>/objects)"))
	}
	query, err := io.ReadAll(stdin)
	if err != nil {
		return fmt.Errorf("read the query: %w", err)
	}
	if strings.TrimSpace(string(query)) == "" {
		return wrong(errors.New("the query is empty"))
	}
	db, err := load(ctx, folders)
	if err != nil {
		return err
	}
	defer db.Close()
	answer, err := ask(ctx, db, string(query))
	if err != nil {
		return err
	}
	if err := json.NewEncoder(stdout).Encode(answer); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// errQuery marks what the user can mend.
var errQuery = errors.New("query")

type wrongQuery struct{ error }

func (wrongQuery) Is(target error) bool { return target == errQuery }
func (w wrongQuery) Unwrap() error      { return w.error }

func wrong(err error) error { return wrongQuery{err} }
