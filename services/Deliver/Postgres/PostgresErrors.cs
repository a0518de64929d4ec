using System.Net.Sockets;
using Npgsql;

namespace Qualiz.Deliver.Postgres;

/// <summary>The server's errors as ours. Its own text and detail are left out wherever they can quote a row.</summary>
internal static class PostgresErrors
{
    public static DeliveryException? From(Exception exception, TableName table)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is PostgresException server)
                return From(server, table);
        }
        return exception is NpgsqlException or SocketException or TimeoutException or IOException or ObjectDisposedException
            ? new DeliveryException("targetUnavailable", "The connection to the database was lost or could not be made.", transient: true)
            : null;
    }

    private static DeliveryException From(PostgresException error, TableName table)
    {
        var state = error.SqlState;
        return state switch
        {
            PostgresErrorCodes.LockNotAvailable => Again("targetBusy", $"Somebody else held {table} for too long."),
            PostgresErrorCodes.QueryCanceled => Again("targetBusy", "The database took longer than the longest statement allowed."),
            PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure => Again("targetBusy", "The database broke off because of others who worked on the same rows."),
            "25P03" => Again("targetBusy", "The database ended an idle transaction."),
            PostgresErrorCodes.DiskFull => Again("targetFull", "The database's disk is full."),
            "57P01" or "57P02" or "57P03" or "57P05" => Again("targetUnavailable", "The database ended the connection or is not up."),
            _ when state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("53", StringComparison.Ordinal) || state.StartsWith("58", StringComparison.Ordinal) =>
                Again("targetUnavailable", "The database cannot serve the connection now."),
            PostgresErrorCodes.InsufficientPrivilege => Never("accessRefused", $"The connection's user may not do this on {table} or its schema."),
            "28000" or "28P01" => Never("signInRefused", "The database refuses the connection's user or password."),
            "3D000" => Never("databaseUnknown", "The connection's database does not exist."),
            "3F000" => Never("schemaUnknown", $"The schema {table.Schema} does not exist and may not be made."),
            PostgresErrorCodes.NotNullViolation => Never("constraintViolated", $"A row has no value for {table}.{error.ColumnName}, which must have one."),
            PostgresErrorCodes.CardinalityViolation => Never("keyRepeated", "Rows of the input have the same key for the database."),
            // Two that make the same schema, table or column at once.
            "42P06" or "42P07" or "42701" => Again("targetBusy", $"Somebody else made {table} or its schema at the same time."),
            PostgresErrorCodes.UniqueViolation when error.SchemaName == "pg_catalog" => Again("targetBusy", $"Somebody else made {table} or its schema at the same time."),
            _ when state.StartsWith("23", StringComparison.Ordinal) => Never("constraintViolated", $"A row violates the constraint {error.ConstraintName ?? "of a column"} of {table}."),
            PostgresErrorCodes.StringDataRightTruncation => Never("valueRefused", $"A text is longer than its column of {table} allows."),
            "22P05" => Never("valueRefused", @"A JSON value holds \u0000, which the database cannot hold."),
            "22021" => Never("valueRefused", "A text holds the character NUL, which the database cannot hold."),
            "22003" or "22008" => Never("valueRefused", $"A number or date is out of the range of its column of {table}."),
            _ when state.StartsWith("22", StringComparison.Ordinal) => Never("valueRefused", $"A value does not fit its column of {table} (SQLSTATE {state})."),
            PostgresErrorCodes.FeatureNotSupported => Never("notSupported", $"The database cannot do this with {table}, e.g. empty a table that others refer to (SQLSTATE {state})."),
            _ => Never("targetRefused", $"The database refused a statement on {table} (SQLSTATE {state})."),
        };
    }

    private static DeliveryException Again(string code, string message) => new(code, message, transient: true);

    private static DeliveryException Never(string code, string message) => new(code, message);
}
