package torchfile

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"path"
	"strings"
)

// An archive is a zip file's records by their names below the archive's folder.
type archive struct {
	file    []byte
	records map[string]*zip.File
}

// readZip reads the format of PyTorch 1.6 and later: <name>/data.pkl is the pickle and
// <name>/data/<key> the storages, none of them compressed.
func readZip(file []byte) ([]*Tensor, error) {
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, bad("its zip directory cannot be read: %v; the file is damaged or cut short", err)
	}
	a := archive{file: file, records: map[string]*zip.File{}}
	folder := ""
	for _, f := range r.File {
		if dir, name := path.Split(f.Name); name == "data.pkl" && strings.Count(dir, "/") == 1 {
			folder = dir
		}
	}
	if folder == "" {
		return nil, bad("the zip archive holds no data.pkl")
	}
	for _, f := range r.File {
		name, ours := strings.CutPrefix(f.Name, folder)
		if !ours {
			continue
		}
		if a.records[name] != nil {
			return nil, bad("the zip archive holds %.100q twice", f.Name)
		}
		a.records[name] = f
	}
	if a.records["byteorder"] != nil {
		order, err := a.checked("byteorder")
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, bad("its byte order is %.20q; allowed: little", order)
		}
	}
	program, err := a.checked("data.pkl")
	if err != nil {
		return nil, err
	}
	m := machine{what: "data.pkl", program: program, storages: map[string]*storage{}, attach: a.attach}
	value, err := m.run()
	if err != nil {
		return nil, err
	}
	return entries(value)
}

// attach finds a storage's bytes.
func (a *archive) attach(s *storage) error {
	name := "data/" + s.key
	data, err := a.record(name)
	if err != nil {
		return err
	}
	if size := s.dtype.Size(); len(data)%size != 0 || len(data)/size != s.count {
		return bad("%.100q has %d bytes; %d elements of %s were to be there", name, len(data), s.count, s.dtype)
	}
	s.data = data
	s.check = func() error { return a.sum(name, data) }
	return nil
}

// checked returns a record whose checksum is right.
func (a *archive) checked(name string) ([]byte, error) {
	data, err := a.record(name)
	if err != nil {
		return nil, err
	}
	return data, a.sum(name, data)
}

// record returns a record's bytes in the file.
func (a *archive) record(name string) ([]byte, error) {
	f := a.records[name]
	if f == nil {
		return nil, bad("the zip archive holds no %.100q", name)
	}
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
		return nil, bad("%.100q is compressed in the zip archive, which torch.save never does", name)
	}
	from, err := f.DataOffset()
	if err != nil {
		return nil, bad("%.100q cannot be found in the zip archive: %v; the file is damaged", name, err)
	}
	if n := uint64(len(a.file)); from < 0 || uint64(from) > n || f.UncompressedSize64 > n-uint64(from) {
		return nil, bad("%.100q lies at bytes %d to %d of %d; the file is damaged or cut short", name, from, uint64(from)+f.UncompressedSize64, n)
	}
	return a.file[from:][:f.UncompressedSize64:f.UncompressedSize64], nil
}

// sum compares a record with its checksum.
func (a *archive) sum(name string, data []byte) error {
	if got, want := crc32.ChecksumIEEE(data), a.records[name].CRC32; got != want {
		return bad("%.100q has the checksum %08x instead of %08x; the file is damaged", name, got, want)
	}
	return nil
}
