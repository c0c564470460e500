package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile bounds a table's size in bytes; tables are held in memory.
const maxFile = 1 << 30

// A library is a corpus's folder. It finds the tables by name, reads each once, and hashes
// exactly the bytes that were parsed.
type library struct {
	dir     string
	entries []fs.DirEntry
	sums    map[string][sha256.Size]byte // file name → SHA-256 of its content
}

func openLibrary(dir string) (*library, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &InputError{File: dir, Problem: "there is no such folder"}
	case err != nil:
		return nil, &InputError{File: dir, Problem: fmt.Sprintf("the folder cannot be read: %v", errors.Unwrap(err))}
	}
	return &library{dir: dir, entries: entries, sums: map[string][sha256.Size]byte{}}, nil
}

// has reports whether any file bears the table's name, whatever its extension.
func (l *library) has(name string) bool { return len(l.named(name)) > 0 }

// named lists the files called name plus an extension.
func (l *library) named(name string) []string {
	var files []string
	for _, e := range l.entries {
		if ext := filepath.Ext(e.Name()); ext != "" && strings.TrimSuffix(e.Name(), ext) == name {
			files = append(files, e.Name())
		}
	}
	return files
}

// find returns the one file that holds the table of that name.
func (l *library) find(name string) (string, error) {
	var readable, other []string
	for _, file := range l.named(name) {
		if decoderFor(file) != nil {
			readable = append(readable, file)
		} else {
			other = append(other, file)
		}
	}
	allowed := fmt.Sprintf("allowed: %s.csv, %s.jsonl, %s.parquet", name, name, name)
	switch {
	case len(readable) == 1:
		return readable[0], nil
	case len(readable) > 1:
		return "", &InputError{File: l.dir, Problem: fmt.Sprintf("%s are both there; keep one of them", strings.Join(readable, " and "))}
	case len(other) > 0:
		return "", &InputError{File: filepath.Join(l.dir, other[0]), Problem: "its extension is not supported; " + allowed}
	}
	return "", &InputError{File: l.dir, Problem: fmt.Sprintf("the table %s is missing; %s", name, allowed)}
}

// table reads the named table. Its rows hold the required columns' cells in that order.
func (l *library) table(ctx context.Context, name string, required ...string) (*table, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := l.find(name)
	if err != nil {
		return nil, err
	}
	t := &table{file: filepath.Join(l.dir, file), columns: required}
	data, err := readFile(t.file)
	if err != nil {
		return nil, err
	}
	l.sums[file] = sha256.Sum256(data)
	if len(data) == 0 {
		return nil, t.errorf(place{}, "", "the file is empty; it needs the columns %s", strings.Join(required, ", "))
	}
	if err := decoderFor(file)(ctx, t, data); err != nil {
		return nil, err
	}
	if len(t.rows) == 0 {
		return nil, t.errorf(place{}, "", "it holds no rows; at least one is needed")
	}
	return t, nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() && info.Size() > maxFile {
		return nil, &InputError{File: path, Problem: fmt.Sprintf("it has %d bytes; at most %d are read", info.Size(), maxFile)}
	}
	if err == nil && !info.Mode().IsRegular() {
		return nil, &InputError{File: path, Problem: "it is not a regular file"}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, &InputError{File: path, Problem: fmt.Sprintf("it cannot be read: %v", err)}
	}
	return data, nil
}

// builtin enters text that is part of this program into the fingerprint.
func (l *library) builtin(name, text string) { l.sums[name] = sha256.Sum256([]byte(text)) }

func (l *library) fingerprint() string {
	names := make([]string, 0, len(l.sums))
	for name := range l.sums {
		names = append(names, name)
	}
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		fmt.Fprintf(h, "%q %x\n", name, l.sums[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Files returns the names of the files in dir that a corpus of that layout consists of:
// what [Open] reads, and nothing else that lies there. It does not look into them.
func Files(dir, layout string) ([]string, error) {
	tables, optional := []string{"posts"}, []string{"criteria"}
	switch layout {
	case RedSM5:
		tables = append(tables, "annotations")
	case Groundtruth:
		tables, optional = append(tables, "groundtruth"), append(optional, "evidence")
	default:
		return nil, fmt.Errorf("list corpus: layout %s is not known; allowed: %s, %s", shown(layout), Groundtruth, RedSM5)
	}
	l, err := openLibrary(dir)
	if err != nil {
		return nil, fmt.Errorf("list corpus: %w", err)
	}
	for _, table := range optional {
		if l.has(table) {
			tables = append(tables, table)
		}
	}
	files := make([]string, len(tables))
	for i, table := range tables {
		if files[i], err = l.find(table); err != nil {
			return nil, fmt.Errorf("list corpus: %w", err)
		}
	}
	slices.Sort(files)
	return files, nil
}
