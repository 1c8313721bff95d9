import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Hand one message of a citizen to the gateway, with Java 11 or newer and nothing else.
 * Usage: java Send.java URL SECRET_FILE FROM TO TEXT
 * Prints the status and the answer; ends 0 if the message is kept, else 1.
 */
public class Send {
    /** Sign the very bytes that go out. */
    static String sign(String secret, String id, String timestamp, byte[] body) throws Exception {
        byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
    }

    static String quoted(String text) {
        StringBuilder written = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                written.append('\\').append(c);
            } else if (c < ' ') {
                written.append(String.format("\\u%04x", (int) c));
            } else {
                written.append(c);
            }
        }
        return written.append('"').toString();
    }

    public static void main(String[] args) throws Exception {
        String secret = Files.readString(Path.of(args[1])).trim();
        Instant now = Instant.now();
        String json = "{\"type\":\"message.received\",\"timestamp\":\"" + now + "\",\"data\":{"
            + "\"id\":\"mo-" + UUID.randomUUID() + "\",\"from\":" + quoted(args[2])
            + ",\"to\":" + quoted(args[3]) + ",\"text\":" + quoted(args[4])
            + ",\"received_at\":\"" + now + "\"}}";
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        String event = "evt-" + UUID.randomUUID();
        String timestamp = Long.toString(now.getEpochSecond());

        HttpRequest request = HttpRequest.newBuilder(URI.create(args[0]))
            .timeout(Duration.ofSeconds(10))
            .header("content-type", "application/json")
            .header("webhook-id", event)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", sign(secret, event, timestamp, body))
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build();
        HttpResponse<String> answer = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .build()
            .send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.body());
        System.exit(answer.statusCode() == 202 ? 0 : 1);
    }
}
