using System.Globalization;
using System.IO.Compression;
using System.Security;
using System.Text;

namespace Qualiz.Ingest.Tests;

/// <summary>Writes the least of a workbook: one sheet after the other, cells as Excel keeps them.</summary>
internal static class Xlsx
{
    /// <param name="Rows">Null is no cell; text, bool, numbers, DateTime (a date, or a moment) and TimeOnly.</param>
    /// <param name="Merges">e.g. B1:D1.</param>
    public sealed record Sheet(string Name, object?[][] Rows, params string[] Merges);

    /// <summary>What a formula came to that has no value: <c>#N/A</c>, <c>#REF!</c>.</summary>
    public sealed record Error(string Text);

    public static byte[] Write(params Sheet[] sheets)
    {
        var target = new MemoryStream();
        using (var zip = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(zip, "[Content_Types].xml", """
                <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>
                """);
            Add(zip, "_rels/.rels", """
                <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>
                """);
            Add(zip, "xl/workbook.xml", $"""
                <workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{string.Concat(sheets.Select((sheet, i) => $"<sheet name=\"{SecurityElement.Escape(sheet.Name)}\" sheetId=\"{i + 1}\" r:id=\"s{i + 1}\"/>"))}</sheets></workbook>
                """);
            Add(zip, "xl/_rels/workbook.xml.rels", $"""
                <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{string.Concat(sheets.Select((_, i) => $"<Relationship Id=\"s{i + 1}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet{i + 1}.xml\"/>"))}<Relationship Id="st" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>
                """);
            // General, a date, a moment, a time.
            Add(zip, "xl/styles.xml", """
                <styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="21"/></cellXfs></styleSheet>
                """);
            for (var i = 0; i < sheets.Length; i++)
                Add(zip, $"xl/worksheets/sheet{i + 1}.xml", Content(sheets[i]));
        }
        return target.ToArray();
    }

    private static string Content(Sheet sheet)
    {
        var text = new StringBuilder("<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>");
        for (var r = 0; r < sheet.Rows.Length; r++)
        {
            text.Append(CultureInfo.InvariantCulture, $"<row r=\"{r + 1}\">");
            for (var c = 0; c < sheet.Rows[r].Length; c++)
            {
                var at = $"{(char)('A' + c)}{(r + 1).ToString(CultureInfo.InvariantCulture)}";
                text.Append(sheet.Rows[r][c] switch
                {
                    null => "",
                    string cell => $"<c r=\"{at}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{SecurityElement.Escape(cell)}</t></is></c>",
                    Error cell => $"<c r=\"{at}\" t=\"e\"><f>1/0</f><v>{cell.Text}</v></c>",
                    bool cell => $"<c r=\"{at}\" t=\"b\"><v>{(cell ? 1 : 0)}</v></c>",
                    DateTime { TimeOfDay.Ticks: 0 } cell => $"<c r=\"{at}\" s=\"1\"><v>{cell.ToOADate().ToString("R", CultureInfo.InvariantCulture)}</v></c>",
                    DateTime cell => $"<c r=\"{at}\" s=\"2\"><v>{cell.ToOADate().ToString("R", CultureInfo.InvariantCulture)}</v></c>",
                    TimeOnly cell => $"<c r=\"{at}\" s=\"3\"><v>{(cell.ToTimeSpan() / TimeSpan.FromDays(1)).ToString("R", CultureInfo.InvariantCulture)}</v></c>",
                    IFormattable cell => $"<c r=\"{at}\"><v>{cell.ToString("R", CultureInfo.InvariantCulture)}</v></c>",
                    _ => throw new ArgumentException("No such cell.", nameof(sheet)),
                });
            }
            text.Append("</row>");
        }
        text.Append("</sheetData>");
        if (sheet.Merges.Length > 0)
            text.Append(CultureInfo.InvariantCulture, $"<mergeCells>{string.Concat(sheet.Merges.Select(merge => $"<mergeCell ref=\"{merge}\"/>"))}</mergeCells>");
        return text.Append("</worksheet>").ToString();
    }

    private static void Add(ZipArchive zip, string name, string text)
    {
        using var writer = new StreamWriter(zip.CreateEntry(name).Open(), new UTF8Encoding(false));
        writer.Write(text.Trim());
    }
}
